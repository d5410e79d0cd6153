#include "tests/e2e/archived_gateway.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>
#include <thread>

namespace segue::test {
namespace {

bool is_there(pid_t process) {
  std::ifstream stat(fmt::format("/proc/{}/stat", process));
  std::string line;
  if (!std::getline(stat, line)) return false;
  const auto name_end = line.rfind(") ");  // "123 (seguectl) S ..."
  return name_end != std::string::npos && line[name_end + 2] != 'Z';
}

}  // namespace

std::string ArchivedFolder::settings() const {
  return fmt::format("{{ to: \"{}\", flush: {{ every: 250ms }} }}", archive());
}

CommandLine archiving(std::vector<std::string> more) {
  more.insert(more.begin(), "--archive");
  return {.before = {}, .after = std::move(more)};
}

std::vector<pid_t> children_of(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/children", process, process));
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;)
    if (is_there(child)) children.push_back(child);
  return children;
}

pid_t only_child_of(pid_t process) {
  const Deadline deadline;
  for (;;) {
    const std::vector<pid_t> children = children_of(process);
    if (children.size() == 1) return children.front();
    if (deadline.left() == 0)
      throw TestFailure(fmt::format("{} has {} children", process, children.size()));
    std::this_thread::yield();
  }
}

void wait_until_gone(pid_t process) {
  const Deadline deadline;
  while (is_there(process)) {
    if (deadline.left() == 0) throw TestFailure(fmt::format("process {} goes on", process));
    std::this_thread::yield();
  }
}

void archive_once(const ArchivedFolder& folder) {
  const CommandResult result = run_command({seguectl_path(), "archive",
                                            "journal:" + folder.journal().string(), "--to",
                                            folder.archive(), "--once"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
}

std::vector<std::string> archived_targets(const ArchivedFolder& folder) {
  const CommandResult result =
      run_command({seguectl_path(), "query", "SELECT target FROM exchanges ORDER BY 1",
                   folder.archive(), "-o", "json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  std::vector<std::string> targets;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);)
    targets.emplace_back(boost::json::parse(line).at("target").as_string());
  return targets;
}

void check_archived_once(const ArchivedFolder& folder, std::vector<std::string> targets) {
  std::sort(targets.begin(), targets.end());
  const std::vector<std::string> archived = archived_targets(folder);
  CHECK(archived.size() == targets.size());
  const bool same = archived == targets;
  CHECK(same);
}

}  // namespace segue::test
