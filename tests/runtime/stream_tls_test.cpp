// Streams that speak TLS.
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <memory>
#include <string>

#include "runtime/pem_files.hpp"
#include "runtime/stream.hpp"
#include "runtime/tls_tickets.hpp"
#include "tests/runtime/stream_pair.hpp"
#include "tests/support/certificate.hpp"

namespace segue::runtime {
namespace {

namespace errors = boost::asio::error;
using test::Certificate;

TlsContext server_of(const Certificate& files) {
  TlsServerSettings settings;
  settings.certificates.push_back({files.certificate_file(), files.key_file()});
  return TlsContext::server(settings, PemFiles(files_of(settings)), TicketKeys::fresh());
}

TlsContext client_of(const Certificate& authority, const std::string& name) {
  const TlsClientSettings settings{authority.certificate_file(), {}, {}, name};
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

// Two ends that have spoken; whether they agreed is in `hands`.
struct Secured {
  Certificate files{"localhost"};
  TlsContext server = server_of(files);
  TlsContext client = client_of(files, "localhost");
  Pair pair;
  Handshake hands{pair, server, client};
};

TEST_CASE("TLS: bytes pass both ways, large writes too, and the name is verified") {
  Secured secured;
  Pair& pair = secured.pair;
  REQUIRE_FALSE(secured.hands.client_ec);
  REQUIRE_FALSE(secured.hands.server_ec);
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
  Secured secured;
  Pair& pair = secured.pair;
  REQUIRE_FALSE(secured.hands.server_ec);
  pair.core.ask([] { ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR); });
  std::string text;
  CHECK(pair.run(read_once(pair.right, text, soon(20))).ec == errors::timed_out);
}

TEST_CASE("TLS: a connection whose answer was read is quiet, and can be used again") {
  Secured secured;
  Pair& pair = secured.pair;
  REQUIRE_FALSE(secured.hands.server_ec);
  pair.run(write_all(pair.right, "answer", kNever));
  std::string text;
  CHECK(pair.run(read_once(pair.left, text, generous())).bytes == 6);
  CHECK(pair.core.ask([&] { return pair.left.quiet(Stream::Quiet::heard); }));
  pair.run(write_all(pair.right, "more", kNever));
  CHECK_FALSE(pair.core.ask([&] { return pair.left.quiet(Stream::Quiet::heard); }));
}

TEST_CASE("TLS: a peer that changes keys and takes nothing ends its connection, not the process") {
  signal(SIGPIPE, SIG_IGN);
  const Certificate files("localhost");
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

// How the other end heard of the end.
Task<Transfer> read_until_end(Stream& stream) {
  std::string text;
  Transfer got;
  do got = co_await read_once(stream, text, generous());
  while (got.bytes != 0);
  co_return got;
}

Task<bool> end(Stream& stream) {
  co_await stream.end_sending(generous());
  co_return true;
}

// One of these numbers of records fills the socket's buffer to the last byte: then there is no room
// for the word that this was all, without which the peer takes what it got for cut off.
TEST_CASE("TLS: an end behind what fills the socket's buffer is said when there is room again") {
  const Certificate files("localhost");
  const TlsContext server = server_of(files);
  const TlsContext client = client_of(files, "localhost");
  for (int records = 1;; ++records) {
    INFO(records);
    Pair pair;
    const Handshake hands(pair, server, client);
    REQUIRE_FALSE(hands.server_ec);
    pair.set_send_buffer(1);  // the least there is
    bool full = false;
    for (int i = 0; i < records && !full; ++i)
      full = pair.run(write_all(pair.right, std::string(100, 'x'), 1)).ec == errors::timed_out;
    if (full) break;
    std::promise<bool> ended;
    pair.core.ask([&] { pair.group.spawn(Pair::deliver(end(pair.right), ended)); });
    CHECK_FALSE(pair.run(read_until_end(pair.left)).ec);
    CHECK(ended.get_future().get());
  }
}

TEST_CASE("TLS: a peer with another name or another CA is refused") {
  const Certificate files("localhost");
  const Certificate other("localhost");
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
