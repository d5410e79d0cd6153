#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "kafka/settings.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/archive/claim.hpp"
#include "warehouse/settings.hpp"

namespace segue::warehouse {

inline constexpr int kManifestVersion = 1;
// Of the files' columns; greater when one is added.
inline constexpr int kFileSchemaVersion = 1;

// The record of a claim that is done, for whoever loads its file elsewhere: key
// TOPIC/PARTITION/START, value one JSON object (docs/kafka.md).
std::string manifest_key(const Claim& claim);
std::string manifest_json(const Archive& archive, const Claim& claim, const Done& done);

// Tells a topic of every claim that is done, at least once. One thread; the archive outlives it.
class ManifestTopic : public ArchiveObserver {
 public:
  // Throws StartupError. Connects when it is asked something or has something to say.
  ManifestTopic(const kafka::Settings& settings, std::string topic, const Archive& archive,
                std::chrono::milliseconds timeout);
  ~ManifestTopic() override;

  // Whether the topic is there. Throws RemoteError when not, with what to do.
  void check();
  // Returns when Kafka has it; throws RemoteError.
  void archived(const Claim& claim, const Done& done) override;
  void troubled(const std::string&, std::chrono::milliseconds) override {}

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::warehouse
