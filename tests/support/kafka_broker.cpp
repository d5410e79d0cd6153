#include "tests/support/kafka_broker.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <memory>

#include "tests/support/lines.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {
namespace {

constexpr const char* kScript = "kafka.sh";

// Where ctest's fixture has its broker; segue_test() tells in which build folder. A program run by
// hand knows of none: it must not use one that goes with somebody else's ctest.
std::filesystem::path fixture() {
  const char* const folder = std::getenv("SEGUE_FIXTURES");
  return folder == nullptr ? std::filesystem::path()
                           : std::filesystem::path(folder) / "shared-kafka";
}

}  // namespace

KafkaBroker::KafkaBroker(const BrokerOptions& options) : work_(folder_ / "kafka") {
  std::vector<std::string> arguments{"start", work_.string(), "-n",
                                     std::to_string(options.brokers)};
  if (options.listeners == Listeners::with_security) arguments.emplace_back("-s");
  for (const auto& line : options.configuration) {
    arguments.emplace_back("-c");
    arguments.push_back(line);
  }
  for (auto& argument : owned_by_this_process()) arguments.push_back(std::move(argument));
  run_stack_script(kScript, arguments);
  read_settings();
}

KafkaBroker::KafkaBroker(const std::filesystem::path& running)
    : work_(running), owner_(Owner::ctest) {
  read_settings();
}

KafkaBroker::~KafkaBroker() {
  if (owner_ == Owner::ctest) return;
  try {
    run_stack_script(kScript, {"destroy", work_.string()});
  } catch (const std::exception& error) {
    // The watcher of this process's end tries again.
    fmt::print(stderr, "{}\n", error.what());
  }
}

const KafkaBroker& KafkaBroker::shared() {
  static const std::unique_ptr<const KafkaBroker> broker(std::filesystem::exists(fixture() / "env")
                                                             ? new KafkaBroker(fixture())
                                                             : new KafkaBroker(BrokerOptions{}));
  return *broker;
}

void KafkaBroker::read_settings() {
  const auto text = read_whole_file(work_ / "env");
  for_each_line(text, [&](std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return;
    settings_[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  });
}

const std::string& KafkaBroker::setting(std::string_view name) const {
  const auto found = settings_.find(name);
  if (found == settings_.end()) throw TestFailure("this broker has no " + std::string(name));
  return found->second;
}

void KafkaBroker::kill(unsigned node) {
  run_stack_script(kScript, {"kill", work_.string(), std::to_string(node)});
}
void KafkaBroker::pause(unsigned node) {
  run_stack_script(kScript, {"pause", work_.string(), std::to_string(node)});
}
void KafkaBroker::resume(unsigned node) {
  run_stack_script(kScript, {"resume", work_.string(), std::to_string(node)});
}
void KafkaBroker::up(unsigned node) {
  run_stack_script(kScript, {"up", work_.string(), std::to_string(node)});
}
void KafkaBroker::stop() {
  run_stack_script(kScript, {"stop", work_.string()});
}

std::string KafkaBroker::tool(std::string_view name,
                              const std::vector<std::string>& arguments) const {
  std::vector<std::string> all{"tool", work_.string(), std::string(name)};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_stack_script(kScript, all);
}

}  // namespace segue::test
