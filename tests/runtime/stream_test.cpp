#include "runtime/stream.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "runtime/pause.hpp"
#include "runtime/pem_files.hpp"
#include "runtime/task_group.hpp"
#include "runtime/tls_tickets.hpp"

namespace segue::runtime {
namespace {

namespace errors = boost::asio::error;

MonotonicNs soon(int millis) {
  return after(monotonic_now(), std::chrono::milliseconds(millis));
}
MonotonicNs generous() {
  return soon(20'000);
}

// A core with a thread, and a pair of connected streams on it.
struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    REQUIRE_FALSE(left.assign(ends[0]));
    REQUIRE_FALSE(right.assign(ends[1]));
    core.start();
  }
  ~Pair() {
    core.ask([this] {
      left.close();
      right.close();
    });
    while (core.ask([this] { return group.size(); }) != 0) {
    }
    core.stop();
    core.join();
  }

  // Runs a task on the core and waits for its result.
  template <class T>
  T run(Task<T> task) {
    std::promise<T> done;
    auto result = done.get_future();
    core.post([this, &done, &task] { group.spawn(deliver(std::move(task), done)); });
    return result.get();
  }
  template <class T>
  static Task<void> deliver(Task<T> task, std::promise<T>& done) {
    done.set_value(co_await task);
  }

  Core core{0};
  Stream left{core};
  Stream right{core};
  TaskGroup group;
};

Task<Transfer> read_once(Stream& stream, std::string& into, MonotonicNs expiry) {
  into.resize(64);
  const std::span<char> room(into);
  const Transfer got = co_await stream.read_some(room, expiry);
  into.resize(got.bytes);
  co_return got;
}

Task<Transfer> write_all(Stream& stream, std::string text, MonotonicNs patience) {
  iovec piece{text.data(), text.size()};
  const std::span<iovec> pieces(&piece, 1);
  co_return co_await stream.write(pieces, patience);
}

Task<std::size_t> read_to_end(Stream& stream) {
  std::string room(65'536, '\0');
  std::size_t total = 0;
  for (;;) {
    const std::span<char> into(room);
    const Transfer got = co_await stream.read_some(into, generous());
    if (got.bytes == 0) co_return total;
    total += got.bytes;
  }
}

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

// A certificate for "localhost", signed by itself, made by the openssl command.
struct Certificate {
  Certificate() {
    char name[] = "/tmp/segue-tls-XXXXXX";
    folder = mkdtemp(name);
    const std::string command =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -keyout " +
        key() + " -out " + certificate() + " 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
  std::string key() const { return folder + "/key.pem"; }
  std::string certificate() const { return folder + "/cert.pem"; }
  std::string folder;
};

TlsContext server_of(const Certificate& files) {
  TlsServerSettings settings;
  settings.certificates.push_back({files.certificate(), files.key()});
  return TlsContext::server(settings, PemFiles(files_of(settings)), TicketKeys::fresh());
}

TlsContext client_of(const Certificate& authority, const std::string& name) {
  const TlsClientSettings settings{authority.certificate(), {}, {}, name};
  return TlsContext::client(settings, PemFiles(files_of(settings)));
}

Task<boost::system::error_code> shake(Stream& stream, const TlsContext& tls) {
  co_return co_await stream.handshake(tls, generous());
}

struct Handshake {
  Handshake(Pair& pair, const TlsContext& server, const TlsContext& client) {
    std::promise<boost::system::error_code> accepted;
    auto result = accepted.get_future();
    pair.core.post([&] { pair.group.spawn(Pair::deliver(shake(pair.right, server), accepted)); });
    client_ec = pair.run(shake(pair.left, client));
    if (client_ec) pair.core.ask([&] { pair.left.close(); });
    server_ec = result.get();
  }
  boost::system::error_code client_ec, server_ec;
};

TEST_CASE("TLS: bytes pass both ways, large writes too, and the name is verified") {
  const Certificate files;
  const TlsContext server = server_of(files);
  const TlsContext client = client_of(files, "localhost");
  Pair pair;
  const Handshake hands(pair, server, client);
  REQUIRE_FALSE(hands.client_ec);
  REQUIRE_FALSE(hands.server_ec);
  CHECK(pair.core.ask([&] { return pair.right.tls_version(); }) == "TLSv1.3");
  CHECK(pair.core.ask([&] { return pair.right.tls_server_name(); }) == "localhost");
  pair.run(write_all(pair.left, "hello", kNever));
  std::string text;
  CHECK(pair.run(read_once(pair.right, text, generous())).bytes == 5);
  std::promise<std::size_t> counted;
  auto count = counted.get_future();
  pair.core.post([&] { pair.group.spawn(Pair::deliver(read_to_end(pair.left), counted)); });
  const std::string large(4 << 20, 'y');
  CHECK(pair.run(write_all(pair.right, large, kNever)).bytes == large.size());
  pair.core.ask([&] { pair.right.shutdown_send(); });
  CHECK(count.get() == large.size());
}

TEST_CASE("TLS: an error that another connection left behind ends no other") {
  const Certificate files;
  const TlsContext server = server_of(files);
  const TlsContext client = client_of(files, "localhost");
  Pair pair;
  const Handshake hands(pair, server, client);
  REQUIRE_FALSE(hands.server_ec);
  pair.core.ask([] { ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR); });
  std::string text;
  CHECK(pair.run(read_once(pair.right, text, soon(20))).ec == errors::timed_out);
}

TEST_CASE("TLS: a connection whose answer was read is quiet, and can be used again") {
  const Certificate files;
  const TlsContext server = server_of(files);
  const TlsContext client = client_of(files, "localhost");
  Pair pair;
  const Handshake hands(pair, server, client);
  REQUIRE_FALSE(hands.server_ec);
  pair.run(write_all(pair.right, "answer", kNever));
  std::string text;
  CHECK(pair.run(read_once(pair.left, text, generous())).bytes == 6);
  CHECK(pair.core.ask([&] { return pair.left.quiet(Stream::Quiet::heard); }));
  pair.run(write_all(pair.right, "more", kNever));
  CHECK_FALSE(pair.core.ask([&] { return pair.left.quiet(Stream::Quiet::heard); }));
}

TEST_CASE("TLS: a peer that changes keys and takes nothing ends its connection, not the process") {
  signal(SIGPIPE, SIG_IGN);
  const Certificate files;
  const TlsContext server = server_of(files);
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  REQUIRE(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  Pair pair;
  auto stream = std::make_unique<Stream>(pair.core);
  std::promise<boost::system::error_code> accepted;
  pair.core.ask([&] {
    REQUIRE_FALSE(stream->assign(ends[0]));
    pair.group.spawn(Pair::deliver(shake(*stream, server), accepted));
  });
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const peer = SSL_new(context);
  SSL_set_fd(peer, ends[1]);
  REQUIRE(SSL_connect(peer) == 1);
  REQUIRE_FALSE(accepted.get_future().get());

  std::promise<Transfer> written;
  std::promise<std::size_t> read;
  pair.core.ask([&] {
    pair.group.spawn(
        Pair::deliver(write_all(*stream, std::string(32 << 20, 'x'), kNever), written));
    pair.group.spawn(Pair::deliver(read_to_end(*stream), read));
  });
  REQUIRE(SSL_key_update(peer, SSL_KEY_UPDATE_REQUESTED) == 1);
  CHECK(SSL_write(peer, "x", 1) == 1);
  SSL_free(peer);
  SSL_CTX_free(context);
  close(ends[1]);
  CHECK(written.get_future().get().ec);
  read.get_future().get();
  while (pair.core.ask([&] { return pair.group.size(); }) != 0) {
  }
  pair.core.ask([&] { stream.reset(); });
}

TEST_CASE("TLS: a peer with another name or another CA is refused") {
  const Certificate files;
  const Certificate other;
  const TlsContext server = server_of(files);
  {
    Pair pair;
    const TlsContext wrong_name = client_of(files, "elsewhere");
    CHECK(Handshake(pair, server, wrong_name).client_ec);
  }
  {
    Pair pair;
    const TlsContext wrong_ca = client_of(other, "localhost");
    CHECK(Handshake(pair, server, wrong_ca).client_ec);
  }
}

}  // namespace
}  // namespace segue::runtime
