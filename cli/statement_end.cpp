#include "cli/statement_end.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "cli/interruption.hpp"

namespace segue::cli {
namespace {

// A statement may begin when it was looked last, so one look is not enough.
constexpr std::chrono::milliseconds kLook{100};

}  // namespace

StatementEnd::StatementEnd(warehouse::Engine& engine)
    : thread_([&engine](const std::stop_token& stop) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any never;  // but for the stop, which it hears of
        while (!stop.stop_requested()) {
          if (interrupted()) engine.interrupt();
          never.wait_for(lock, stop, kLook, [] { return false; });
        }
      }) {}

}  // namespace segue::cli
