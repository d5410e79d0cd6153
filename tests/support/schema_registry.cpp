#include "tests/support/schema_registry.hpp"

#include <fmt/format.h>

#include <exception>

#include "tests/support/patience.hpp"
#include "tests/support/process.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {

SchemaRegistry::SchemaRegistry() : certificate_("localhost"), work_(folder_ / "registry") {
  start();
}

SchemaRegistry::~SchemaRegistry() {
  try {
    run_stack_script("registry.sh", {"destroy", work_.string()});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
}

void SchemaRegistry::start() {
  std::vector<std::string> arguments{"start",
                                     work_.string(),
                                     "-t",
                                     certificate_.certificate_file(),
                                     certificate_.key_file(),
                                     "-a",
                                     fmt::format("{}:{}", kUser, kPassword)};
  for (auto& argument : owned_by_this_process()) arguments.push_back(std::move(argument));
  url_ = run_stack_script("registry.sh", arguments);
}

void SchemaRegistry::stop() {
  run_stack_script("registry.sh", {"stop", work_.string()});
}

std::string SchemaRegistry::address(const std::string& name) const {
  auto text = read_whole_file(work_ / name);
  text.pop_back();
  // Its certificate is for the name.
  const auto host = text.find("127.0.0.1");
  return name.ends_with("https") ? text.replace(host, 9, "localhost") : text;
}

std::string SchemaRegistry::ask(const std::string& method, const std::string& path,
                                const std::string& body) const {
  std::vector<std::string> command{"curl",
                                   "-sS",
                                   "--fail-with-body",
                                   "-X",
                                   method,
                                   "-H",
                                   "Content-Type: application/vnd.schemaregistry.v1+json"};
  if (!body.empty()) command.insert(command.end(), {"--data-binary", body});
  command.push_back(url_ + path);
  const auto result = run_command(command);
  if (result.exit_code != 0) {
    throw TestFailure(fmt::format("{} {}: {}{}", method, path, result.out, result.err));
  }
  return result.out;
}

}  // namespace segue::test
