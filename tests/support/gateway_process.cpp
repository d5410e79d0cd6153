#include "tests/support/gateway_process.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <charconv>
#include <thread>

#include "tests/support/lines.hpp"
#include "tests/support/raw_client.hpp"

namespace segue::test {
namespace {

std::uint16_t port_of(std::string_view address) {
  std::uint16_t port = 0;
  const auto digits = address.substr(address.rfind(':') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (port == 0) throw TestFailure("not an address: " + std::string(address));
  return port;
}

bool is_series(std::string_view line, std::string_view name,
               const std::vector<std::string>& labels) {
  if (!line.starts_with(name)) return false;
  const char after = line.size() > name.size() ? line[name.size()] : '\0';
  if (after != ' ' && after != '{') return false;
  for (const auto& label : labels) {
    if (line.find(label) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

ConfigText::ConfigText() {
  with("version", "1");
  with("cores", "{ count: 2 }");
  with("defaults", "{ record: { redact: {} } }");
  with("drain", "{ delay: 0s, timeout: 10s }");
}

ConfigText& ConfigText::with(std::string_view key, std::string_view value) {
  top_.insert_or_assign(std::string(key), std::string(value));
  return *this;
}

ConfigText& ConfigText::listener(std::string_view more) {
  listener_ += fmt::format(", {}", more);
  return *this;
}

ConfigText& ConfigText::backend(std::string_view name, std::uint16_t port, std::string_view more) {
  backends_ += fmt::format("  {}: {{ endpoints: [\"127.0.0.1:{}\"]{}{} }}\n", name, port,
                           more.empty() ? "" : ", ", more);
  return *this;
}

ConfigText& ConfigText::route(std::string_view name, std::string_view value) {
  routes_ += fmt::format("  {}: {}\n", name, value);
  return *this;
}

std::string ConfigText::yaml(const std::filesystem::path& journal) const {
  auto top = top_;
  top.try_emplace("recorder", fmt::format("{{ journal: {{ dir: \"{}\", max_size: 128MiB, "
                                          "segment: 8MiB }} }}",
                                          journal.string()));
  top.try_emplace("listeners", fmt::format("{{ public: {{ address: \"127.0.0.1:0\"{} }}, "
                                           "probe: {{ address: \"127.0.0.1:0\" }} }}",
                                           listener_));
  std::string text;
  for (const auto& [key, value] : top) text += fmt::format("{}: {}\n", key, value);
  if (!backends_.empty()) text += "backends:\n" + backends_;
  if (!routes_.empty()) text += "routes:\n" + routes_;
  return text;
}

ConfigText all_to(std::uint16_t port, std::string_view more) {
  ConfigText config;
  config.backend("legacy", port, more).route("all", "{ match: { prefix: / }, to: legacy }");
  return config;
}

GatewayProcess::GatewayProcess(const ConfigText& config,
                               std::optional<std::filesystem::path> journal,
                               const CommandLine& line)
    : journal_(journal.value_or(folder_ / "journal")) {
  const auto file = folder_.write("segue.yaml", config.yaml(journal_));
  std::vector<std::string> command = line.before;
  for (const auto& word : {segue_path(), std::string("serve"), std::string("-c"), file.string()})
    command.push_back(word);
  command.insert(command.end(), line.after.begin(), line.after.end());
  process_.emplace(command, folder_ / "stdout");
  const Deadline deadline;
  while (const auto said = process_->next_error_line(deadline)) {
    if (*said == "ready") return;
    if (!said->starts_with("listening ")) continue;
    const auto name = said->substr(10, said->find(' ', 10) - 10);
    if (said->find(" unix:") == std::string::npos) ports_[name] = port_of(*said);
  }
  throw TestFailure("the gateway did not start:\n" + process_->errors());
}

std::uint16_t GatewayProcess::port(std::string_view listener) const {
  const auto found = ports_.find(listener);
  if (found == ports_.end()) throw TestFailure("no listener " + std::string(listener));
  return found->second;
}

ProcessEnd GatewayProcess::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

void GatewayProcess::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

std::string GatewayProcess::metrics() const {
  RawClient client(port("probe"));
  const auto answer = client.get("/metrics", "Connection: close\r\n");
  if (answer.status() != 200) throw TestFailure("/metrics: " + answer.start_line);
  return answer.body;
}

double GatewayProcess::metric(std::string_view name, const std::vector<std::string>& labels) const {
  double sum = 0;
  for_each_line(metrics(), [&](std::string_view line) {
    if (!is_series(line, name, labels)) return;
    const auto digits = line.substr(line.rfind(' ') + 1);
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    sum += value;
  });
  return sum;
}

void GatewayProcess::wait_for_metric(std::string_view name, const std::vector<std::string>& labels,
                                     double value) const {
  const Deadline deadline;
  while (metric(name, labels) < value) {
    if (deadline.left() == 0) {
      throw TestFailure(fmt::format("{} stays below {}:\n{}", name, value, metrics()));
    }
    std::this_thread::yield();  // each look is a whole request: not a busy loop
  }
}

}  // namespace segue::test
