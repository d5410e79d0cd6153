#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/file_handle.hpp"
#include "recorder/journal/journal.hpp"
#include "recorder/journal/segment_pool.hpp"

namespace segue::recorder {

// How far ahead of a lane pages are made present, and behind it given back, at a time.
inline constexpr std::uint64_t kWindowBytes = std::uint64_t{8} << 20;

// The thread that serves every lane of a journal: keeps a prepared segment ready for each, makes
// the pages ahead of the lane present, and in lean writes back and gives away those behind it.
// Sleeps until a lane crosses a window; lanes never wait for it.
class Keeper {
 public:
  // `lanes` and `event`, the eventfd they signal, must outlive it.
  Keeper(SegmentPool& pool, const std::vector<std::unique_ptr<Lane>>& lanes,
         const FileHandle& event)
      : pool_(pool), lanes_(lanes), event_(event) {}
  ~Keeper() { stop(); }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Before start(): gives every lane its first segment and a spare.
  Result<void> equip();
  void start();
  void stop();

 private:
  void run();
  void serve(Lane& lane);
  Result<void> prepare_spare(Lane& lane);
  void sleep();

  SegmentPool& pool_;
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  const FileHandle& event_;
  bool lacking_ = false;  // a lane has no spare: try again soon
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace segue::recorder
