#include "cli/archive/upkeep_run.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <thread>
#include <utility>

#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/interruption.hpp"
#include "runtime/clock.hpp"

namespace segue::cli {

UpkeepRun::UpkeepRun(const UpkeepOptions& options, std::string doing)
    : store_(options.open_store()),
      archive_(warehouse::Archive::open(*store_)),
      bench_(*store_, options.workbench()),
      progress_(fmt::format("{} {}", doing, store_->name())) {}

warehouse::UpkeepWatch UpkeepRun::watch() {
  return {.at = [this](std::uint64_t done, std::uint64_t total) { progress_.at(done, total); },
          .told_to_end = interrupted};
}

int UpkeepRun::run(const std::function<int()>& work) {
  listen_for_interrupts();
  const std::jthread interrupter([this](const std::stop_token& stop) {
    while (!stop.stop_requested() && wait_a_while() == Woken::time) {
    }
    if (interrupted()) bench_.interrupt();
  });
  try {
    const int code = work();
    progress_.wipe();
    return code;
  } catch (const warehouse::UpkeepEnded&) {
    return kInterrupted;
  } catch (const warehouse::StorageError&) {
    if (interrupted()) return kInterrupted;
    throw;
  } catch (const RemoteError&) {
    if (interrupted()) return kInterrupted;
    throw;
  }
}

int tell_what_stays(const std::vector<std::string>& warnings, const std::string& last,
                    Undone undone) {
  for (const std::string& line : warnings) fmt::print(stderr, "seguectl: {}\n", line);
  if (!last.empty()) fmt::print(stderr, "seguectl: {}\n", last);
  if (undone == Undone::something)
    fmt::print(stderr, "seguectl: nothing was changed; --yes does it\n");
  if (!warnings.empty() || !last.empty()) return kFailed;
  return undone == Undone::something ? kFound : kClean;
}

void write_texts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

warehouse::Day today() {
  return warehouse::day_of(runtime::unix_micros_now());
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string count_text(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

}  // namespace segue::cli
