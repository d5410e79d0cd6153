#include "runtime/stream.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <string>

#include "runtime/pause.hpp"
#include "tests/runtime/stream_pair.hpp"

namespace segue::runtime {
namespace {

namespace errors = boost::asio::error;

TEST_CASE("bytes pass, and the end of the stream is a read of nothing without an error") {
  Pair pair;
  CHECK(pair.run(write_all(pair.left, "hello", kNever)).bytes == 5);
  std::string text;
  CHECK(pair.run(read_once(pair.right, text, generous())).bytes == 5);
  CHECK(text == "hello");
  pair.core.ask([&] { pair.left.shutdown_send(); });
  const Transfer end = pair.run(read_once(pair.right, text, generous()));
  CHECK_FALSE(end.ec);
  CHECK(end.bytes == 0);
}

TEST_CASE("a read whose expiry passes says timed_out, and the stream can be read again") {
  Pair pair;
  std::string text;
  CHECK(pair.run(read_once(pair.right, text, soon(20))).ec == errors::timed_out);
  pair.run(write_all(pair.left, "late", kNever));
  CHECK(pair.run(read_once(pair.right, text, generous())).bytes == 4);
}

TEST_CASE("a cancelled read says operation_aborted, not timed_out") {
  Pair pair;
  std::promise<Transfer> done;
  auto result = done.get_future();
  std::string text;
  pair.core.ask([&] {
    pair.group.spawn(Pair::deliver(read_once(pair.right, text, generous()), done));
    pair.right.cancel();
  });
  CHECK(result.get().ec == errors::operation_aborted);
}

Task<void> cancel_when_read(Stream& stream) {
  std::string text;
  co_await read_once(stream, text, generous());
  stream.cancel();
}

TEST_CASE("a cancel by the reader ends the write that became ready in the same turn") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  Pair pair;
  auto stream = std::make_unique<Stream>(pair.core);
  std::promise<Transfer> done;
  auto result = done.get_future();
  const std::string large(32 << 20, 'x');
  pair.core.ask([&] {
    REQUIRE_FALSE(stream->assign(ends[0]));
    pair.group.spawn(Pair::deliver(write_all(*stream, large, kNever), done));
    pair.group.spawn(cancel_when_read(*stream));
  });
  pair.core.ask([&] {  // both ways at once, while the core does not look
    std::string taken(65'536, '\0');
    while (recv(ends[1], taken.data(), taken.size(), 0) > 0) {
    }
    CHECK(send(ends[1], "x", 1, MSG_NOSIGNAL) == 1);
  });
  CHECK(result.get().ec == errors::operation_aborted);
  pair.core.ask([&] { stream.reset(); });
  close(ends[1]);
}

TEST_CASE("a write that the peer does not take times out, and says what went") {
  Pair pair;
  const std::string large(32 << 20, 'x');
  const Transfer sent = pair.run(write_all(pair.left, large, 50'000'000));
  CHECK(sent.ec == errors::timed_out);
  CHECK(sent.bytes > 0);
  CHECK(sent.bytes < large.size());
}

Task<Transfer> write_until(Stream& stream, std::string text, MonotonicNs expiry) {
  iovec piece{text.data(), text.size()};
  const std::span<iovec> pieces(&piece, 1);
  co_return co_await stream.write(pieces, kNever, expiry);
}

// A little at a time, until the writer is gone: each time there is room for more.
Task<void> read_now_and_then(Core& core, Stream& stream) {
  std::string room(65'536, '\0');
  for (;;) {
    const std::span<char> into(room);
    const Transfer got = co_await stream.read_some(into, generous());
    if (got.bytes == 0) co_return;
    Pause pause(core, soon(10));
    co_await pause;
  }
}

TEST_CASE("a write to a peer that takes a little now and then ends at its expiry") {
  Pair pair;
  pair.core.post([&] { pair.group.spawn(read_now_and_then(pair.core, pair.right)); });
  const std::string large(64 << 20, 'x');
  const Transfer sent = pair.run(write_until(pair.left, large, soon(100)));
  CHECK(sent.ec == errors::timed_out);
  CHECK(sent.bytes < large.size());
  pair.core.ask([&] { pair.left.reset(); });
}

// A TCP connection whose peer is open, takes nothing and never will: {ours, the peer's}.
std::array<int, 2> connected_over_tcp() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  REQUIRE(bind(listener, any, size) == 0);
  REQUIRE(listen(listener, 1) == 0);
  REQUIRE(getsockname(listener, any, &size) == 0);
  const int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(ours, any, size) == 0);
  REQUIRE(fcntl(ours, F_SETFL, O_NONBLOCK) == 0);
  const int peer = accept(listener, nullptr, nullptr);
  REQUIRE(peer >= 0);
  close(listener);
  return {ours, peer};
}

TEST_CASE("a peer that the kernel gave up is a reset, and no expiry that passed") {
  Pair pair;
  Stream stream(pair.core);
  const auto [ours, peer] = connected_over_tcp();
  const unsigned millis = 1;  // unanswered, and the kernel says ETIMEDOUT (tcp(7))
  REQUIRE(setsockopt(ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &millis, sizeof millis) == 0);
  REQUIRE_FALSE(pair.core.ask([&] { return stream.assign(ours); }));
  boost::system::error_code got;
  SECTION("that it is written to") {
    got = pair.run(write_all(stream, std::string(64 << 20, 'x'), kNever)).ec;
  }
  SECTION("that it is read from") {
    CHECK(pair.run(write_until(stream, std::string(64 << 20, 'x'), monotonic_now())).ec);
    std::string text;
    got = pair.run(read_once(stream, text, kNever)).ec;
  }
  CHECK(got == errors::connection_reset);
  pair.core.ask([&] { stream.close(); });
  close(peer);
}

// How far a reader has come, and had come when its core next took a message.
struct Progress {
  std::size_t bytes = 0;
  std::size_t marked = 0;
};

// Reads in small pieces what is all there already.
Task<std::size_t> read_in_pieces(Core& core, Stream& stream, Progress& progress) {
  std::string room(64, '\0');
  for (;;) {
    const std::span<char> into(room);
    const Transfer got = co_await stream.read_some(into, generous());
    if (got.bytes == 0) co_return progress.bytes;
    if (progress.bytes == 0) core.post([&progress] { progress.marked = progress.bytes; });
    progress.bytes += got.bytes;
  }
}

TEST_CASE("who always finds something to read leaves others their turn") {
  Pair pair;
  const std::string all(100'000, 'x');
  CHECK(pair.run(write_all(pair.left, all, kNever)).bytes == all.size());
  pair.core.ask([&] { pair.left.shutdown_send(); });
  Progress progress;
  CHECK(pair.run(read_in_pieces(pair.core, pair.right, progress)) == all.size());
  const std::size_t marked = pair.core.ask([&] { return progress.marked; });
  CHECK(marked > 0);
  CHECK(marked < all.size());
}

TEST_CASE("a write larger than the socket's buffer waits for the reader and goes on") {
  Pair pair;
  std::promise<std::size_t> counted;
  auto count = counted.get_future();
  pair.core.post([&] { pair.group.spawn(Pair::deliver(read_to_end(pair.right), counted)); });
  const std::string large(8 << 20, 'x');
  CHECK(pair.run(write_all(pair.left, large, kNever)).bytes == large.size());
  pair.core.ask([&] { pair.left.shutdown_send(); });
  CHECK(count.get() == large.size());
}

TEST_CASE("an idle stream is quiet until something comes or the peer leaves") {
  Pair pair;
  CHECK(pair.core.ask([&] { return pair.right.quiet(Stream::Quiet::asked); }));
  CHECK_FALSE(pair.core.ask([&] { return pair.right.peer_gone(); }));
  pair.run(write_all(pair.left, "x", kNever));
  CHECK_FALSE(pair.core.ask([&] { return pair.right.quiet(Stream::Quiet::asked); }));
  pair.core.ask([&] { pair.left.close(); });
  CHECK(pair.core.ask([&] { return pair.right.peer_gone(); }));
}

}  // namespace
}  // namespace segue::runtime
