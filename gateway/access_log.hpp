#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "exchange/exchange.hpp"
#include "gateway/settings.hpp"
#include "runtime/core.hpp"
#include "runtime/deadline_wheel.hpp"

namespace segue::gateway {

// Where access lines go: a file or standard output, written by a thread of its own. Any thread may
// write; nobody ever waits: when the disk or the reader of a pipe is too slow, the oldest batches
// are dropped and counted.
class AccessLogFile {
 public:
  static constexpr std::size_t kMostBatches = 4096;  // that wait to be written

  // `path` "-" is standard output; a file is appended to. Throws StartupError when it cannot be
  // opened.
  explicit AccessLogFile(const std::string& path);
  ~AccessLogFile();
  AccessLogFile(const AccessLogFile&) = delete;
  AccessLogFile& operator=(const AccessLogFile&) = delete;

  // Whole lines.
  void write(std::string_view lines);
  std::uint64_t dropped_batches() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One core's end of it: makes a line of each finished exchange and hands them on in batches, so
// that neither a lock nor a system call stands on the path of every request. The core's thread.
class AccessLog {
 public:
  static constexpr std::size_t kBatchBytes = 16 << 10;
  static constexpr std::chrono::milliseconds kLongestWait{100};  // of a line for its batch

  // Both must outlive it.
  AccessLog(runtime::Core& core, AccessLogFormat format, AccessLogFile& file);
  ~AccessLog() { hand_on(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // `exchange` as it may be seen by people: redacted.
  void add(const ExchangeView& exchange, std::int64_t duration_micros);

 private:
  void hand_on();

  const AccessLogFormat format_;
  AccessLogFile& file_;
  runtime::Deadline deadline_;
  std::string lines_;
};

// One line, with its end. Octets of a request that are not printable ASCII are escaped.
// JSON (RFC 8259): docs/observability.md has the members. Combined: Apache's "combined" format.
void append_json_line(const ExchangeView& exchange, std::int64_t duration_micros,
                      std::string& lines);
void append_combined_line(const ExchangeView& exchange, std::string& lines);

}  // namespace segue::gateway
