#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "kafka/settings.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/claim.hpp"

namespace segue::warehouse {

inline constexpr const char* kManifestTopic = "segue.archive.manifest";
inline constexpr int kManifestVersion = 1;

// The record of a claim that is done, for whoever loads its file elsewhere: key
// TOPIC/PARTITION/START, value one JSON object.
std::string manifest_key(const Claim& claim);
std::string manifest_json(const Archive& archive, const Claim& claim, const Done& done);

// Tells a topic of every claim that is done, at least once: a claim is announced again when it is
// repaired, and the last one of a chain whenever a process takes that over. One thread; the archive
// outlives it.
class ManifestTopic {
 public:
  // Throws StartupError. Connects when it has something to say.
  ManifestTopic(const kafka::Settings& settings, std::string topic, const Archive& archive,
                std::chrono::milliseconds timeout);
  ~ManifestTopic();
  ManifestTopic(const ManifestTopic&) = delete;
  ManifestTopic& operator=(const ManifestTopic&) = delete;

  // Returns when Kafka has it. Throws RemoteError: then it is sent with the next one, or by
  // flush().
  void announce(const Claim& claim, const Done& done);
  // Announces the last claim of a chain once more, the first time that it is asked to: the process
  // that made it may have ended before it said so.
  void take_over(const Chain& chain);
  // Sends what could not be sent before. Throws RemoteError.
  void flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::warehouse
