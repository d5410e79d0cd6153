#include "runtime/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>

#include "runtime/await.hpp"

namespace segue::runtime {
namespace {

using boost::system::error_code;
namespace errors = boost::asio::error;

constexpr std::size_t kMaxPieces = 64;             // per sendmsg; below IOV_MAX everywhere
constexpr std::size_t kTlsRecord = 16 << 10;       // RFC 8446, 5.1

error_code last_error() { return {errno, boost::system::system_category()}; }
bool would_block(const error_code& ec) {
  return ec == errors::would_block || ec == errors::try_again || ec == errors::interrupted;
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

Stream::Stream(Core& core)
    : socket_(core.executor()),
      read_deadline_(
          core.wheel(),
          [](void* self) {
            auto& stream = *static_cast<Stream*>(self);
            stream.read_timed_out_ = true;
            stream.cancel();
          },
          this),
      write_deadline_(
          core.wheel(),
          [](void* self) {
            auto& stream = *static_cast<Stream*>(self);
            stream.write_timed_out_ = true;
            stream.cancel();
          },
          this) {}

error_code Stream::assign(int family, int descriptor) {
  error_code ec;
  socket_.assign(boost::asio::generic::stream_protocol(family, 0), descriptor, ec);
  if (!ec) socket_.native_non_blocking(true, ec);
  return ec;
}

void Stream::cancel() noexcept {
  error_code ignored;  // a socket that cannot cancel has nothing waiting
  socket_.cancel(ignored);
}

void Stream::shutdown_send() noexcept {
  error_code ignored;  // not connected any more: as good as shut
  if (ssl_ != nullptr) SSL_shutdown(ssl_.get());
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() noexcept {
  error_code ignored;  // the descriptor is gone whatever close() says
  socket_.close(ignored);
}

void Stream::reset() noexcept {
  error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

bool Stream::peer_gone() noexcept {
  pollfd state{socket_.native_handle(), 0, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

bool Stream::quiet() noexcept {
  char byte;
  const ssize_t got = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
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

// Says how an operation that waited ended; a cancel that a deadline caused is a timeout.
error_code Stream::ended(bool& timed_out, error_code ec) noexcept {
  if (ec == errors::operation_aborted && std::exchange(timed_out, false)) return errors::timed_out;
  return ec;
}

Transfer Stream::tls_result(int result, Wait& wait) noexcept {
  const int saved = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wait = Wait::read;
      return {errors::would_block, 0};
    case SSL_ERROR_WANT_WRITE:
      wait = Wait::write;
      return {errors::would_block, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {};
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return {saved != 0 ? error_code(saved, boost::system::system_category())
                         : error_code(errors::connection_reset),
              0};
    default:
      ERR_clear_error();
      return {errors::make_error_code(errors::connection_aborted), 0};
  }
}

Transfer Stream::try_read(std::span<char> into, Wait& wait) noexcept {
  if (ssl_ != nullptr) {
    errno = 0;
    const int got = SSL_read(ssl_.get(), into.data(),
                             static_cast<int>(std::min<std::size_t>(into.size(), INT32_MAX)));
    return got > 0 ? Transfer{{}, static_cast<std::size_t>(got)} : tls_result(got, wait);
  }
  const ssize_t got = recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (got >= 0) return {{}, static_cast<std::size_t>(got)};
  wait = Wait::read;
  return {last_error(), 0};
}

Transfer Stream::try_write_tls(std::span<iovec> pieces, Wait& wait) noexcept {
  const void* data = pieces.front().iov_base;
  std::size_t size = pieces.front().iov_len;
  if (pieces.size() > 1 && size < kTlsRecord) {
    record_.clear();
    for (const iovec& piece : pieces) {
      const std::size_t room = std::min(kTlsRecord - record_.size(), piece.iov_len);
      const char* begin = static_cast<const char*>(piece.iov_base);
      record_.insert(record_.end(), begin, begin + room);
    }
    data = record_.data();
    size = record_.size();
  }
  errno = 0;
  const int sent =
      SSL_write(ssl_.get(), data, static_cast<int>(std::min<std::size_t>(size, INT32_MAX)));
  return sent > 0 ? Transfer{{}, static_cast<std::size_t>(sent)} : tls_result(sent, wait);
}

Transfer Stream::try_write(std::span<iovec> pieces, Wait& wait) noexcept {
  if (ssl_ != nullptr) return try_write_tls(pieces, wait);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = std::min(pieces.size(), kMaxPieces);
  const ssize_t sent = sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (sent >= 0) return {{}, static_cast<std::size_t>(sent)};
  wait = Wait::write;
  return {last_error(), 0};
}

template <class Done>
void Stream::wait_for(Wait wait, Done done) {
  socket_.async_wait(wait == Wait::read ? Socket::wait_read : Socket::wait_write, std::move(done));
}

// Plain reads leave the first try to Asio, which tries and waits in one operation.
bool Stream::Read::await_ready() noexcept {
  if (!stream_.is_tls()) return false;
  result_ = stream_.try_read(into_, wait_);
  return !would_block(result_.ec);
}

void Stream::Read::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  stream_.read_timed_out_ = false;
  stream_.reading_ = true;
  stream_.read_deadline_.arm(expiry_);
  start();
}

void Stream::Read::start() {
  if (stream_.is_tls()) {
    stream_.wait_for(wait_, [this](error_code ec) {
      if (!ec) {
        result_ = stream_.try_read(into_, wait_);
        if (would_block(result_.ec)) return start();
        return finish(result_.ec, result_.bytes);
      }
      finish(ec, 0);
    });
    return;
  }
  stream_.socket_.async_receive(
      boost::asio::buffer(into_.data(), into_.size()),
      [this](error_code ec, std::size_t bytes) {
        finish(ec == errors::eof ? error_code() : ec, bytes);
      });
}

void Stream::Read::finish(error_code ec, std::size_t bytes) {
  stream_.read_deadline_.disarm();
  stream_.reading_ = false;
  result_ = {stream_.ended(stream_.read_timed_out_, ec), bytes};
  waiter_.resume();
}

bool Stream::Write::advance() noexcept {
  while (!pieces_.empty()) {
    const Transfer step = stream_.try_write(pieces_, wait_);
    if (step.ec) {
      if (would_block(step.ec)) return false;
      result_.ec = step.ec;
      return true;
    }
    result_.bytes += step.bytes;
    pieces_ = advance_past(pieces_, step.bytes);
  }
  return true;
}

void Stream::Write::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  stream_.write_timed_out_ = false;
  start();
}

void Stream::Write::start() {
  stream_.write_deadline_.arm(patience_ == kNever ? kNever : monotonic_now() + patience_);
  stream_.wait_for(wait_, [this](error_code ec) {
    if (!ec && !advance()) return start();
    stream_.write_deadline_.disarm();
    if (ec) result_.ec = stream_.ended(stream_.write_timed_out_, ec);
    waiter_.resume();
  });
}

Task<error_code> Stream::connect(const Socket::endpoint_type& peer, MonotonicNs expiry) {
  error_code ec;
  socket_.open(peer.protocol(), ec);
  if (!ec) socket_.native_non_blocking(true, ec);
  if (ec) co_return ec;
  write_timed_out_ = false;
  write_deadline_.arm(expiry);
  Completion connecting([this, &peer](auto done) { socket_.async_connect(peer, std::move(done)); });
  const error_code result = co_await connecting;
  write_deadline_.disarm();
  co_return ended(write_timed_out_, result);
}

Task<error_code> Stream::handshake(const TlsContext& tls, MonotonicNs expiry) {
  ssl_ = tls.session(socket_.native_handle());
  read_timed_out_ = false;
  read_deadline_.arm(expiry);
  error_code ec;
  for (;;) {
    Wait wait = Wait::none;
    errno = 0;
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) break;
    ec = tls_result(result, wait).ec;
    if (!would_block(ec)) {
      if (!ec) ec = errors::connection_reset;
      break;
    }
    Completion waiting([this, wait](auto done) { wait_for(wait, std::move(done)); });
    ec = co_await waiting;
    if (ec) break;
  }
  read_deadline_.disarm();
  co_return ended(read_timed_out_, ec);
}

}  // namespace segue::runtime
