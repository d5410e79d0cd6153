#include "tests/e2e/steady_load.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>

namespace segue::test {
namespace {

constexpr std::chrono::milliseconds kSlowPeer{2};

// A connection of a client, over any kind of socket.
struct Connection {
  explicit Connection(Socket opened) : socket(std::move(opened)), reader(socket) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Socket socket;
  MessageReader reader;
};

// One client; its connection, when it keeps one.
class Client {
 public:
  explicit Client(const SteadyLoad::Connect& connect) : connect_(connect) {}

  enum class Outcome { answered, sent_again };
  void forget() { connection_.reset(); }

  // Throws TestFailure with what went wrong.
  Outcome ask(const std::string& target, std::string_view fields) {
    for (Outcome outcome = Outcome::answered;; outcome = Outcome::sent_again) {
      const bool reused = connection_ != nullptr;
      if (!reused) connection_ = std::make_unique<Connection>(connect_());
      const auto request =
          fmt::format("GET {} HTTP/1.1\r\nHost: shop.example\r\n{}\r\n", target, fields);
      connection_->socket.send_what_is_taken(request);
      const auto answer = connection_->reader.response();
      if (answer) {
        check(*answer, target);
        return outcome;
      }
      const Received end = connection_->reader.wait_for_end();
      const bool nothing_came = connection_->reader.rest().empty();
      connection_.reset();
      if (end == Received::reset) throw TestFailure(target + ": the connection was reset");
      if (!reused || !nothing_came) throw TestFailure(target + ": no answer");
    }
  }

 private:
  void check(const Message& answer, const std::string& target) {
    if (answer.status() != 200 || !answer.whole || answer.body != target)
      throw TestFailure(fmt::format("{}: {} with '{}'", target, answer.start_line, answer.body));
    if (answer.field("connection") != "close") return;
    if (connection_->reader.wait_for_end() == Received::reset)
      throw TestFailure(target + ": the connection was reset behind its last answer");
    connection_.reset();
  }

  const SteadyLoad::Connect& connect_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

SteadyLoad::SteadyLoad(Connect connect, unsigned keeping, unsigned opening)
    : connect_(std::move(connect)), counts_(keeping + opening) {
  for (unsigned i = 0; i < keeping + opening; ++i)
    threads_.emplace_back(
        [this, i, keeping] { run(i, i < keeping ? Kind::keeping : Kind::opening); });
}

SteadyLoad::~SteadyLoad() {
  stop();
}

void SteadyLoad::stop() {
  stop_ = true;
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

void SteadyLoad::run(unsigned number, Kind kind) {
  Client client(connect_);
  std::vector<std::string> mine;
  for (std::uint64_t n = 0; !stop_; ++n) {
    const auto target = fmt::format("/{}/{}", number, n);
    try {
      const auto outcome =
          client.ask(target, kind == Kind::opening ? "Connection: close\r\n" : "");
      if (outcome == Client::Outcome::sent_again) ++sent_again_;
      mine.push_back(target);
    } catch (const TestFailure& failure) {
      const std::lock_guard lock(mutex_);
      damage_.emplace_back(failure.what());
      client.forget();
    }
    ++counts_[number];
    counts_[number].notify_all();
  }
  const std::lock_guard lock(mutex_);
  answered_.insert(answered_.end(), mine.begin(), mine.end());
}

void SteadyLoad::wait_for_answers_of_each(std::uint64_t count) {
  const Deadline deadline;
  std::vector<std::uint64_t> wanted;
  for (const auto& now : counts_) wanted.push_back(now + count);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    for (std::uint64_t now = counts_[i]; now < wanted[i]; now = counts_[i]) {
      if (deadline.left() == 0) throw TestFailure("a client has no more answers");
      counts_[i].wait(now);
    }
  }
}

void echo(BackendConnection& connection) {
  while (const auto request = connection.request()) {
    std::this_thread::sleep_for(kSlowPeer);
    connection.send(response_with(200, request->target()));
  }
}

}  // namespace segue::test
