#include "gateway/access_log.hpp"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>

#include "exchange/error.hpp"

namespace segue::gateway {

struct AccessLogFile::State {
  std::shared_ptr<spdlog::async_logger> logger;
  // Last, so that its thread has ended before the file that it writes to goes.
  std::shared_ptr<spdlog::details::thread_pool> pool;
};

AccessLogFile::AccessLogFile(const std::string& path) : state_(std::make_unique<State>()) {
  try {
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (path == "-")
      sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    state_->pool = std::make_shared<spdlog::details::thread_pool>(kMostBatches, 1);
    state_->logger = std::make_shared<spdlog::async_logger>(
        "access", std::move(sink), state_->pool, spdlog::async_overflow_policy::overrun_oldest);
  } catch (const spdlog::spdlog_ex& error) {
    throw StartupError(fmt::format("access_log.path: cannot open {}: {}", path, error.what()));
  }
  // The lines bring their own ends.
  state_->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%v", spdlog::pattern_time_type::utc, std::string()));
  state_->logger->flush_on(spdlog::level::trace);
}

AccessLogFile::~AccessLogFile() = default;

void AccessLogFile::write(std::string_view lines) {
  state_->logger->info(spdlog::string_view_t(lines.data(), lines.size()));
}

std::uint64_t AccessLogFile::dropped_batches() const noexcept {
  return state_->pool->overrun_counter();
}

AccessLog::AccessLog(runtime::Core& core, AccessLogFormat format, AccessLogFile& file)
    : format_(format),
      file_(file),
      deadline_(
          core.wheel(), [](void* self) { static_cast<AccessLog*>(self)->hand_on(); }, this) {}

void AccessLog::add(const ExchangeView& exchange, std::int64_t duration_micros) {
  if (lines_.empty()) deadline_.arm(runtime::after(runtime::coarse_now(), kLongestWait));
  if (format_ == AccessLogFormat::json)
    append_json_line(exchange, duration_micros, lines_);
  else
    append_combined_line(exchange, lines_);
  if (lines_.size() >= kBatchBytes) hand_on();
}

void AccessLog::hand_on() {
  deadline_.disarm();
  if (lines_.empty()) return;
  file_.write(lines_);
  lines_.clear();
}

}  // namespace segue::gateway
