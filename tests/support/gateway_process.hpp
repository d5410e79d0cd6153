#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

// The text of a segue.yaml, put together by a test. Listeners are on free ports, two cores, a
// small journal; whatever is given replaces that.
class ConfigText {
 public:
  ConfigText();
  // A top-level key and its value as YAML in flow style, e.g. ("limits", "{ head: 1KiB }").
  ConfigText& with(std::string_view key, std::string_view value);
  // Keys beside the address of the public listener, e.g. "exchange_id_header: true".
  ConfigText& listener(std::string_view more);
  // A backend on 127.0.0.1 with further keys, e.g. "timeouts: { total: 1s }".
  ConfigText& backend(std::string_view name, std::uint16_t port, std::string_view more = {});
  ConfigText& route(std::string_view name, std::string_view value);
  std::string yaml(const std::filesystem::path& journal) const;

 private:
  std::map<std::string, std::string, std::less<>> top_;
  std::string listener_;
  std::string backends_;
  std::string routes_;
};

// Every request to the backend `legacy` on `port`.
ConfigText all_to(std::uint16_t port, std::string_view more = {});

// What stands around `segue serve -c FILE` on the command line: a program that runs it, and options.
struct CommandLine {
  std::vector<std::string> before;
  std::vector<std::string> after;
};

// A real gateway, in a folder of its own unless the journal is given. Ready when the constructor
// returns. Killed at the end of its scope.
class GatewayProcess {
 public:
  explicit GatewayProcess(const ConfigText& config,
                          std::optional<std::filesystem::path> journal = std::nullopt,
                          const CommandLine& line = CommandLine());

  // Of a TCP listener.
  std::uint16_t port(std::string_view listener = "public") const;
  std::string journal() const { return "journal:" + journal_.string(); }
  const std::filesystem::path& journal_path() const { return journal_; }
  Process& process() { return *process_; }

  // SIGTERM, then its exit status.
  ProcessEnd stop();
  // SIGKILL, reaped.
  void kill();
  // The text of /metrics.
  std::string metrics() const;
  // The value of one series, e.g. `segue_requests_refused_total{reason="obs_fold"}`; labels must be
  // all those asked for, in any order; 0 when it is not there.
  double metric(std::string_view name, const std::vector<std::string>& labels = {}) const;
  // Waits until that series has at least this value.
  void wait_for_metric(std::string_view name, const std::vector<std::string>& labels,
                       double value) const;

 private:
  TempDir folder_;
  std::filesystem::path journal_;
  std::map<std::string, std::uint16_t, std::less<>> ports_;
  std::optional<Process> process_;
};

}  // namespace segue::test
