#include "tests/support/kafka_connect.hpp"

#include <fmt/format.h>

#include <exception>

#include "tests/support/stack_script.hpp"

namespace segue::test {
namespace {
constexpr const char* kScript = "connect.sh";
}

std::filesystem::path camel_s3_sink() {
  return run_stack_script(kScript, {"s3-sink"});
}

ConnectWorker::ConnectWorker(const KafkaBroker& broker, const ConnectOptions& options)
    : work_(folder_ / "connect") {
  std::vector<std::string> arguments{"start", work_.string(), broker.bootstrap()};
  for (const auto& plugin : options.plugins) {
    arguments.insert(arguments.end(), {"-p", plugin.string()});
  }
  if (!options.worker_properties.empty()) {
    arguments.insert(arguments.end(), {"-w", options.worker_properties.string()});
  }
  for (auto& argument : owned_by_this_process()) arguments.push_back(std::move(argument));
  url_ = run_stack_script(kScript, arguments);
}

ConnectWorker::~ConnectWorker() {
  try {
    run_stack_script(kScript, {"destroy", work_.string()});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
}

void ConnectWorker::put(const std::string& name, const std::string& configuration) const {
  run_stack_script(kScript, {"put", work_.string(), name,
                             folder_.write(name + ".json", configuration).string()});
}

void ConnectWorker::wait_until_running(const std::string& name) const {
  run_stack_script(kScript, {"wait", work_.string(), name});
}

std::string ConnectWorker::status(const std::string& name) const {
  return run_stack_script(kScript, {"status", work_.string(), name});
}

}  // namespace segue::test
