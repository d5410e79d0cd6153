#include "runtime/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>

namespace segue::runtime {
namespace {

using boost::system::error_code;
namespace errors = boost::asio::error;

constexpr std::size_t kMaxPieces = 64;        // per sendmsg; below IOV_MAX everywhere
constexpr std::size_t kTlsRecord = 16 << 10;  // RFC 8446, 5.1
constexpr std::uint8_t kReadsAtOnce = 16;     // then others of the core have their turn

// ETIMEDOUT of a connection that was made is the kernel's verdict on a peer that answers nothing:
// it broke. timed_out is left to say that the operation's own expiry passed.
error_code error_of(int number) {
  if (number == ETIMEDOUT) return make_error_code(errors::connection_reset);
  return {number, boost::system::system_category()};
}
error_code last_error() {
  return error_of(errno);
}
bool would_block(const error_code& ec) {
  return ec == errors::would_block || ec == errors::try_again;
}

// Leaves out the first `bytes` of `pieces`.
std::span<iovec> advance_past(std::span<iovec> pieces, std::size_t bytes) {
  while (!pieces.empty() && bytes >= pieces.front().iov_len) {
    bytes -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (bytes != 0) {
    pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + bytes;
    pieces.front().iov_len -= bytes;
  }
  return pieces;
}

}  // namespace

bool Stream::try_tell_end() noexcept {
  ERR_clear_error();
  const int told = SSL_shutdown(ssl_.get());
  const bool full = told < 0 && SSL_get_error(ssl_.get(), told) == SSL_ERROR_WANT_WRITE;
  ERR_clear_error();
  return !full;
}

void Stream::shutdown_send() noexcept {
  if (!descriptor_.is_open()) return;
  if (ssl_ != nullptr) try_tell_end();
  ::shutdown(descriptor_.get(), SHUT_WR);
}

Task<void> Stream::end_sending(MonotonicNs expiry) {
  while (descriptor_.is_open() && ssl_ != nullptr && !try_tell_end()) {
    if (!can_wait(Way::out)) break;
    Descriptor::Until ready(descriptor_, Way::out, expiry);
    const error_code ec = co_await ready;
    if (ec) break;
  }
  if (descriptor_.is_open()) ::shutdown(descriptor_.get(), SHUT_WR);
}

void Stream::reset() noexcept {
  if (!descriptor_.is_open()) return;
  const linger at_once{1, 0};
  setsockopt(descriptor_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  descriptor_.close();
}

void Stream::set_no_delay() noexcept {
  const int on = 1;
  setsockopt(descriptor_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool Stream::peer_gone() noexcept {
  pollfd state{descriptor_.get(), 0, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

bool Stream::quiet(Quiet how) noexcept {
  // A read of TLS leaves off without having asked the kernel whether that was all.
  if (is_tls() ? SSL_pending(ssl_.get()) != 0 : descriptor_.anything_to_read()) return false;
  if (how == Quiet::heard && !is_tls()) return true;
  char byte;
  const ssize_t got = recv(descriptor_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && would_block(last_error());
}

std::string Stream::tls_version() const {
  return ssl_ == nullptr ? std::string() : std::string(SSL_get_version(ssl_.get()));
}

std::string Stream::tls_server_name() const {
  const char* name =
      ssl_ == nullptr ? nullptr : SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string() : std::string(name);
}

std::string_view Stream::tls_protocol() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (ssl_ != nullptr) SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

// A closed stream says so when it is read.
bool Stream::has_pending() const noexcept {
  return !descriptor_.is_open() ||
         (is_tls() && (SSL_has_pending(ssl_.get()) == 1 || descriptor_.waited_for(Way::in)));
}

// A read of TLS leaves off when it has a record, without having asked the kernel for more. Who then
// took memory for the next one and waited would hold it for as long as the connection is idle.
bool Stream::may_read() noexcept {
  if (!is_tls() || !descriptor_.is_open()) return has_pending() || descriptor_.ready(Way::in);
  if (descriptor_.waited_for(Way::in)) return true;
  if (!has_pending() && !descriptor_.ready(Way::in)) return false;
  char byte;
  errno = 0;
  ERR_clear_error();
  const int got = SSL_peek(ssl_.get(), &byte, 1);
  if (got > 0 || SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ) return true;
  descriptor_.blocked(Way::in);
  return false;
}

// TLS may need to write in order to read, and the reverse, where the peer changes its keys in the
// middle of a message. Only one of the two can wait for the same readiness.
bool Stream::can_wait(Way way) noexcept {
  descriptor_.blocked(way);
  return !is_tls() || !descriptor_.waited_for(way);
}

// OpenSSL keeps errors in a queue of the thread, and SSL_get_error() believes whatever it finds
// there: what one connection left would end another. Each call therefore finds it empty.
Transfer Stream::tls_result(int result, Way& way) noexcept {
  const int saved = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      way = Way::in;
      return {errors::would_block, 0};
    case SSL_ERROR_WANT_WRITE:
      way = Way::out;
      return {errors::would_block, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {};
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return {saved != 0 ? error_of(saved) : error_code(errors::connection_reset), 0};
    default:
      ERR_clear_error();
      return {errors::make_error_code(errors::connection_aborted), 0};
  }
}

Transfer Stream::try_read(std::span<char> into, Way& way) noexcept {
  if (ssl_ != nullptr) {
    errno = 0;
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), into.data(),
                             static_cast<int>(std::min<std::size_t>(into.size(), INT32_MAX)));
    return got > 0 ? Transfer{{}, static_cast<std::size_t>(got)} : tls_result(got, way);
  }
  way = Way::in;
  ssize_t got;
  do got = recv(descriptor_.get(), into.data(), into.size(), 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return {last_error(), 0};
  // Less than asked for is all there was (TCP and Unix streams): the next try would be in vain.
  if (got != 0 && static_cast<std::size_t>(got) < into.size()) descriptor_.exhausted(Way::in);
  return {{}, static_cast<std::size_t>(got)};
}

// Small pieces are gathered into one record. What could not be sent is gathered again, the same, so
// that nothing is kept meanwhile (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER).
Transfer Stream::try_write_tls(std::span<iovec> pieces, Way& way) noexcept {
  const void* data = pieces.front().iov_base;
  std::size_t size = pieces.front().iov_len;
  std::array<char, kTlsRecord> record;
  if (pieces.size() > 1 && size < kTlsRecord) {
    size = 0;
    for (const iovec& piece : pieces) {
      const std::size_t taken = std::min(kTlsRecord - size, piece.iov_len);
      if (taken != 0) std::memcpy(record.data() + size, piece.iov_base, taken);
      size += taken;
    }
    data = record.data();
  }
  errno = 0;
  ERR_clear_error();
  const int sent =
      SSL_write(ssl_.get(), data, static_cast<int>(std::min<std::size_t>(size, INT32_MAX)));
  return sent > 0 ? Transfer{{}, static_cast<std::size_t>(sent)} : tls_result(sent, way);
}

Transfer Stream::try_write(std::span<iovec> pieces, Way& way) noexcept {
  if (ssl_ != nullptr) return try_write_tls(pieces, way);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = std::min(pieces.size(), kMaxPieces);
  way = Way::out;
  ssize_t sent;
  do sent = sendmsg(descriptor_.get(), &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return {last_error(), 0};
  return {{}, static_cast<std::size_t>(sent)};
}

// Where the loop has told of nothing, a plain read is not tried: it would be in vain. TLS may hold
// decrypted bytes that no event will announce.
bool Stream::Read::await_ready() noexcept {
  if (!stream_.descriptor_.is_open()) {
    result_.ec = errors::operation_aborted;
    return true;
  }
  if (!stream_.is_tls() && !stream_.descriptor_.ready(Way::in)) {
    stream_.reads_at_once_ = 0;
    return false;
  }
  if (stream_.reads_at_once_ == kReadsAtOnce && !stream_.has_pending()) {
    stream_.reads_at_once_ = 0;
    way_ = Way::in;
    stream_.descriptor_.ask_again();
    return false;
  }
  result_ = stream_.try_read(into_, way_);
  if (!would_block(result_.ec)) {
    if (stream_.reads_at_once_ != kReadsAtOnce) ++stream_.reads_at_once_;
    return true;
  }
  stream_.reads_at_once_ = 0;
  if (stream_.can_wait(way_)) return false;
  result_.ec = errors::connection_aborted;
  return true;
}

void Stream::Read::await_suspend(std::coroutine_handle<> resume) noexcept {
  resume_ = resume;
  stream_.descriptor_.wait(way_, *this, expiry_);
}

void Stream::Read::woken(Waiter& self, error_code why) {
  auto& read = static_cast<Read&>(self);
  if (why) {
    read.result_ = {why, 0};
  } else if (!read.await_ready()) {
    return read.stream_.descriptor_.wait(read.way_, read, read.expiry_);
  }
  read.resume_.resume();
}

bool Stream::Write::advance() noexcept {
  if (!stream_.descriptor_.is_open()) {
    result_.ec = errors::operation_aborted;
    return true;
  }
  while (!pieces_.empty()) {
    const Transfer step = stream_.try_write(pieces_, way_);
    if (step.ec) {
      if (would_block(step.ec) && stream_.can_wait(way_)) return false;
      result_.ec = would_block(step.ec) ? error_code(errors::connection_aborted) : step.ec;
      return true;
    }
    result_.bytes += step.bytes;
    pieces_ = advance_past(pieces_, step.bytes);
  }
  return true;
}

void Stream::Write::await_suspend(std::coroutine_handle<> resume) noexcept {
  resume_ = resume;
  wait();
}

void Stream::Write::wait() noexcept {
  const MonotonicNs now = monotonic_now();
  const MonotonicNs until = patience_ > kNever - now ? kNever : now + patience_;
  stream_.descriptor_.wait(way_, *this, std::min(until, expiry_));
}

void Stream::Write::woken(Waiter& self, error_code why) {
  auto& write = static_cast<Write&>(self);
  if (why)
    write.result_.ec = why;
  else if (!write.advance())
    return write.wait();
  write.resume_.resume();
}

Task<error_code> Stream::connect(const Address& peer, MonotonicNs expiry) {
  const int socket =
      ::socket(peer.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) co_return last_error();
  error_code ec;
  if (::connect(socket, peer.data(), static_cast<socklen_t>(peer.size())) != 0) ec = last_error();
  const bool under_way = ec == errors::in_progress;
  if (ec && !under_way) {
    ::close(socket);
    co_return ec;
  }
  ec = descriptor_.open(socket);
  if (ec || !under_way) co_return ec;
  descriptor_.blocked(Way::out);
  Descriptor::Until connected(descriptor_, Way::out, expiry);
  ec = co_await connected;
  if (ec) co_return ec;
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size);
  co_return error_code(failure, boost::system::system_category());
}

Task<Transfer> Stream::peek(std::span<char> into, std::size_t seen, MonotonicNs expiry) {
  for (;;) {
    if (!descriptor_.is_open()) co_return Transfer{errors::operation_aborted, 0};
    Descriptor::Until ready(descriptor_, Way::in, expiry);
    const error_code ec = co_await ready;
    if (ec) co_return Transfer{ec, 0};
    ssize_t got;
    do got = recv(descriptor_.get(), into.data(), into.size(), MSG_PEEK);
    while (got < 0 && errno == EINTR);
    if (got < 0 && !would_block(last_error())) co_return Transfer{last_error(), 0};
    const std::size_t there = got < 0 ? 0 : static_cast<std::size_t>(got);
    if (there > seen || got == 0) co_return Transfer{{}, std::max(there, seen)};
    if (descriptor_.peer_ended()) co_return Transfer{{}, seen};
    descriptor_.blocked(Way::in);  // the next byte is an event, also while others lie unread
  }
}

error_code Stream::take(std::span<char> shown, std::size_t bytes) noexcept {
  ssize_t got;
  do got = recv(descriptor_.get(), shown.data(), bytes, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return last_error();
  if (static_cast<std::size_t>(got) != bytes) return make_error_code(errors::connection_reset);
  if (bytes == shown.size()) descriptor_.exhausted(Way::in);
  return {};
}

error_code Stream::try_handshake(Way& way) noexcept {
  errno = 0;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return {};
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL) return handshake_failure(*ssl_);
  const error_code ec = tls_result(result, way).ec;
  return ec ? ec : make_error_code(errors::connection_reset);
}

Task<error_code> Stream::handshake(const TlsContext& tls, MonotonicNs expiry) {
  ssl_ = tls.session(descriptor_.get());
  for (;;) {
    Way way = Way::in;
    error_code ec = try_handshake(way);
    if (would_block(ec)) {
      descriptor_.blocked(way);
      Descriptor::Until ready(descriptor_, way, expiry);
      ec = co_await ready;
      if (!ec) continue;
    }
    if (ec) ssl_.reset();
    co_return ec;
  }
}

}  // namespace segue::runtime
