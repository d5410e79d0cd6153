#include "tests/e2e/kafka_recording.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <exception>

#include "tests/support/lines.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

constexpr std::chrono::milliseconds kSlowPeer{3};
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

ConfigText publishing_config(std::uint16_t backend, const PublishingTo& to) {
  ConfigText config = all_to(backend);
  config.listener("exchange_id_header: true")
      .with("defaults", "{ record: { bodies: { max: 64KiB }, redact: {} } }");
  return config.with("recorder",
                     fmt::format("{{ journal: {{ {} }}, kafka: {{ brokers: [\"{}\"], topic: {}{}{} "
                                 "}} }}",
                                 to.journal, fmt::join(split(to.brokers, ','), "\", \""), to.topic,
                                 to.kafka.empty() ? "" : ", ", to.kafka));
}

ScriptedBackend::Script unhurried_backend(std::string_view body) {
  return [response = response_with(200, body)](BackendConnection& connection) {
    while (connection.request()) {
      std::this_thread::sleep_for(kSlowPeer);
      connection.send(response);
    }
  };
}

Load::Load(std::uint16_t port, unsigned clients) {
  for (unsigned i = 0; i < clients; ++i) {
    clients_.emplace_back([this, port] { send_until_stopped(port); });
  }
}

Load::~Load() {
  finish();
}

void Load::send_until_stopped(std::uint16_t port) {
  std::string failure;
  try {
    RawClient client(port);
    for (;;) {
      const auto answer = client.exchange(kGet);
      const std::lock_guard lock(mutex_);
      if (answer.status() != 200 || !answer.whole) throw TestFailure(answer.start_line);
      answered_.insert(answer.field("segue-exchange-id").value());
      changed_.notify_all();
      if (stopping_) return;
    }
  } catch (const std::exception& error) {
    failure = error.what();
  }
  const std::lock_guard lock(mutex_);
  if (first_failure_.empty()) first_failure_ = failure;
  changed_.notify_all();
}

void Load::wait_for_more(std::size_t count) {
  std::unique_lock lock(mutex_);
  const auto target = answered_.size() + count;
  const bool came = changed_.wait_until(
      lock, Deadline{}.at(), [&] { return answered_.size() >= target || !first_failure_.empty(); });
  if (!first_failure_.empty()) throw TestFailure("a client failed: " + first_failure_);
  if (!came) throw TestFailure("the load stands still");
}

std::set<std::string> Load::finish() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for (auto& client : clients_) {
    if (client.joinable()) client.join();
  }
  const std::lock_guard lock(mutex_);
  return answered_;
}

std::string Load::first_failure() const {
  const std::lock_guard lock(mutex_);
  return first_failure_;
}

std::set<std::string> send_some(const GatewayProcess& gateway, std::size_t count,
                                std::string_view request) {
  std::set<std::string> ids;
  RawClient client(gateway.port());
  for (std::size_t i = 0; i < count; ++i) {
    const auto answer = client.exchange(request);
    if (answer.status() != 200 || !answer.whole) throw TestFailure(answer.start_line);
    ids.insert(answer.field("segue-exchange-id").value());
  }
  return ids;
}

Published wait_until_published(const KafkaTopic& topic, const std::set<std::string>& expected) {
  const Deadline deadline(std::chrono::seconds(120));
  for (std::size_t least = expected.size();; ++least) {
    const auto records = topic.wait_for(least, deadline);
    Published published;
    for (const auto& record : records) {
      const auto id = record.header("segue-id");
      if (!id) throw TestFailure("a record without segue-id");
      if (!published.ids.insert(*id).second && !record.header("segue-redelivery")) {
        ++published.silent_repetitions;
      }
    }
    std::size_t missing = 0;
    for (const auto& id : expected) missing += published.ids.contains(id) ? 0u : 1u;
    if (missing == 0) return published;
    if (deadline.left() == 0) throw TestFailure(fmt::format("{} exchanges are missing", missing));
    least = std::max(least, records.size());
  }
}

KafkaReadiness kafka_readiness(const GatewayProcess& gateway) {
  RawClient client(gateway.port("probe"));
  const auto answer = client.get("/readyz", "Connection: close\r\n");
  const auto json = boost::json::parse(answer.body);
  const auto& kafka = json.as_object().at("kafka").as_object();
  return {answer.status(), text_of(kafka.at("state")), text_of(kafka.at("reason"))};
}

KafkaReadiness wait_for_state(const GatewayProcess& gateway, std::string_view state) {
  const Deadline deadline;
  for (;;) {
    auto now = kafka_readiness(gateway);  // a whole request: not a busy loop
    if (now.status != 200) throw TestFailure(fmt::format("/readyz: {}", now.status));
    if (now.state == state) return now;
    if (deadline.left() == 0) {
      throw TestFailure(fmt::format("{} instead of {}: {}", now.state, state, now.reason));
    }
    std::this_thread::yield();
  }
}

std::vector<std::string> kafka_lines(const Process& process) {
  std::vector<std::string> lines;
  for_each_line(process.errors(), [&](std::string_view line) {
    if (line.find("kafka") != std::string_view::npos) lines.emplace_back(line);
  });
  return lines;
}

}  // namespace segue::test
