#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kafka/settings.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/restore/archived_range.hpp"

namespace segue::warehouse {

// What is to be put back, and where.
struct RestoreRequest {
  kafka::Settings settings;  // of the cluster; with a registry values are framed, as they were
  std::string topic{};       // that gets the records
  std::string source{};      // topic whose records they were; its later epochs count
  std::vector<std::int32_t> partitions{};  // empty: all that the archive has
  TimeRange times{};
  std::chrono::milliseconds timeout{10'000};  // for every answer
};

// One partition, as it was found before anything was put back.
struct PartitionPlan {
  std::int32_t partition = 0;
  std::uint64_t rows = 0;   // that the archive has of what was asked for
  std::uint64_t there = 0;  // of these, in the topic still, or put back before
  std::int64_t first = 0;   // created_at of the earliest and the latest, Unix microseconds; 0: none
  std::int64_t last = 0;
  std::uint64_t held = 0;       // offsets that the partition of the topic holds now
  std::uint64_t lost = 0;       // as ArchivedChain says
  std::uint64_t forgotten = 0;
  std::uint64_t unfinished = 0;

  std::uint64_t to_do() const noexcept { return rows - there; }
};

// Puts records of an archive back into a topic: into their partitions, in their order, each once,
// behind what those hold. What the topic still has stays alone: a record that the archive has at that
// very offset. What a restore that was killed has put there is found again by its headers; two at
// the same time are not told apart. One thread; the archive outlives it.
class Restore {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  // Throws StartupError: the archive has nothing of the topic, or the topic lacks a partition;
  // RemoteError.
  Restore(RestoreRequest request, const Archive& archive);
  ~Restore();
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

  // Reads the topic for what it still has and what was put back before, and counts. `stopping`: give up.
  std::vector<PartitionPlan> plan(const Progress& progress, const std::function<bool()>& stopping);
  // Carries out the plan that was made last, but for what has come back meanwhile (a restore that was
  // killed may have sent more); how many records were put back. When it is told to
  // stop, what was put back by then is, and the next restore goes on behind it.
  std::uint64_t carry_out(const Progress& progress, const std::function<bool()>& stopping);
  // Records whose bodies had to be cut to what the topic takes.
  std::uint64_t cut() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::warehouse
