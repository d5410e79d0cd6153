#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

namespace json = boost::json;

// What the backend answers for a target: the same for the same target, of any size up to 32 KiB.
std::string body_for(std::string_view target) {
  const std::size_t size = std::hash<std::string_view>{}(target) % (32 << 10);
  std::string body(target);
  while (body.size() < size) body += fmt::format("|{}", body.size());
  return body;
}

// Clients that send without pause until their connection breaks, and keep what they received whole.
class Load {
 public:
  Load(std::uint16_t port, unsigned round, unsigned clients) {
    for (unsigned client = 0; client < clients; ++client) {
      threads_.emplace_back([this, port, round, client] { run(port, round, client); });
    }
  }
  ~Load() { join(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Returns soon after that many responses came, at a moment that has nothing to do with any.
  void wait_for(std::size_t responses, std::chrono::microseconds longer) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return whole_.size() >= responses; })) {
      throw TestFailure(fmt::format("only {} responses came", whole_.size()));
    }
    changed_.wait_for(lock, longer, [] { return false; });
  }
  // Every response that came whole, by target. The gateway must be dead.
  const std::map<std::string, std::string>& whole() {
    join();
    return whole_;
  }

 private:
  void run(std::uint16_t port, unsigned round, unsigned client) {
    try {
      RawClient connection(port);
      for (unsigned n = 0;; ++n) {
        const auto target = fmt::format("/{}/{}/{}", round, client, n);
        const auto request = n % 2 == 0 ? fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", target)
                                        : post(target, n);
        connection.send(request);
        auto answer = connection.reader().response();
        if (!answer || !answer->whole) return;
        const std::lock_guard lock(mutex_);
        whole_.emplace(target, std::move(answer->body));
        changed_.notify_all();
      }
    } catch (const TestFailure&) {
      return;  // the gateway was killed between connect and send
    }
  }
  static std::string post(std::string_view target, unsigned n) {
    const std::string body(n % 3000, 'p');
    return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", target,
                       body.size(), body);
  }
  void join() {
    for (auto& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> whole_;
  std::vector<std::thread> threads_;
};

using Recorded = std::map<std::string, json::object>;

Recorded by_target(const std::string& source) {
  Recorded result;
  for (auto& exchange : recorded(source)) {
    const auto target = text_of(exchange.at("request").at("target"));
    INFO("recorded twice: " << target);
    CHECK(result.emplace(target, std::move(exchange)).second);
  }
  return result;
}

void check_whole_responses(const std::map<std::string, std::string>& whole,
                           const Recorded& journal) {
  for (const auto& [target, body] : whole) {
    INFO(target);
    const auto found = journal.find(target);
    REQUIRE(found != journal.end());
    CHECK(found->second.at("outcome") == "COMPLETED");
    CHECK(text_of(found->second.at("response").at("body").at("text")) == body);
  }
}

void check_unsafe_requests(const std::vector<Message>& reached, std::string_view round,
                           const Recorded& journal) {
  for (const auto& request : reached) {
    if (request.method() != "POST" || !request.target().starts_with(round)) continue;
    INFO(request.target());
    const auto found = journal.find(request.target());
    REQUIRE(found != journal.end());
    CHECK(found->second.at("request").at("body").at("size") == request.body.size());
  }
}

TEST_CASE("SIGKILL under load: what a client holds whole is on record, unsafe requests all are") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      connection.send(
          response_with(200, body_for(request->target()), "Content-Type: text/plain\r\n"));
    }
  });
  const unsigned wanted = rounds(50);
  constexpr unsigned kRoundsPerJournal = 5;  // so that most starts recover what died before
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  std::size_t whole = 0;
  std::size_t interrupted = 0;
  std::optional<TempDir> folder;
  for (unsigned round = 0; round < wanted; ++round) {
    INFO("round " << round << ", seed " << seed);
    if (round % kRoundsPerJournal == 0) folder.emplace();
    GatewayProcess gateway(all_to(backend.port()), *folder / "journal");
    Load load(gateway.port(), round, 4);
    load.wait_for(random() % 300, std::chrono::microseconds(random() % 3000));
    gateway.kill();
    const auto journal = by_target(gateway.journal());
    check_whole_responses(load.whole(), journal);
    check_unsafe_requests(backend.requests(), fmt::format("/{}/", round), journal);
    whole += load.whole().size();
    for (const auto& [target, exchange] : journal) {
      if (exchange.at("outcome") != "INTERRUPTED") continue;
      INFO(target);
      CHECK(exchange.at("request").at("method") == "POST");
      CHECK_FALSE(load.whole().contains(target));
      ++interrupted;
    }
  }
  WARN(fmt::format("{} rounds: {} whole responses all on record, {} requests INTERRUPTED", wanted,
                   whole, interrupted));
  CHECK(whole > wanted);
}

}  // namespace
}  // namespace segue::test
