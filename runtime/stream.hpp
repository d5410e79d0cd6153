#pragma once

#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <coroutine>
#include <span>
#include <string>
#include <vector>

#include "runtime/core.hpp"
#include "runtime/task.hpp"
#include "runtime/tls.hpp"

namespace segue::runtime {

// What an operation on a stream came to: bytes moved, and why it stopped if it did.
// ec timed_out: its expiry passed; operation_aborted: cancel() or close().
struct Transfer {
  boost::system::error_code ec;
  std::size_t bytes = 0;  // read: 0 without an error is the end of the stream
};

// A connected byte stream, plain or TLS, of one core. Immovable. One read and one write may be
// under way at once; they must have ended before the stream goes (close() ends them; their
// coroutine goes on from the event loop, not within close()). The system call is tried first,
// and the coroutine suspends only when it would block.
//
// An operation whose expiry passes ends with timed_out and takes the other direction's wait with
// it: a stream that timed out is in the middle of a message and good for nothing but close().
class Stream {
 public:
  using Socket =
      boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, Executor>;

  explicit Stream(Core& core);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Takes over a connected, non-blocking descriptor.
  boost::system::error_code assign(int family, int descriptor);
  // TCP or Unix, by the endpoint. `peer` must outlive the task.
  Task<boost::system::error_code> connect(const Socket::endpoint_type& peer, MonotonicNs expiry);
  // TLS from here on; the peer's certificate is verified on the client's side.
  Task<boost::system::error_code> handshake(const TlsContext& tls, MonotonicNs expiry);

  class Read;
  class Write;
  // Waits for some bytes. `into` must outlive the operation and not be empty.
  Read read_some(std::span<char> into, MonotonicNs expiry);
  // Writes all of `pieces`, which are used up (their iov_base and iov_len change). Each time the
  // peer takes something, `patience` starts anew; kNever waits for ever.
  Write write(std::span<iovec> pieces, MonotonicNs patience_ns);

  // Changes the expiry of the read that waits now; nothing when none does.
  void expect_read_by(MonotonicNs expiry) noexcept {
    if (reading_) read_deadline_.arm(expiry);
  }

  // Ends what waits, with operation_aborted; the socket stays open.
  void cancel() noexcept;
  void shutdown_send() noexcept;
  void close() noexcept;
  // Closes with RST: the peer sees that what it got is not whole.
  void reset() noexcept;
  bool open() const noexcept { return socket_.is_open(); }

  // Whether the peer reset the connection or it broke; a peer that only ended its sending is
  // not gone. One system call.
  bool peer_gone() noexcept;
  // Whether an idle stream is still fit to be used: open, nothing to read, no end. One call.
  bool quiet() noexcept;

  bool is_tls() const noexcept { return ssl_ != nullptr; }
  std::string tls_version() const;      // "TLSv1.3"; empty: plain
  std::string tls_server_name() const;  // SNI the client sent
  Socket& socket() noexcept { return socket_; }

 private:
  enum class Wait : std::uint8_t { none, read, write };
  // One attempt; ec would_block and which readiness to wait for.
  Transfer try_read(std::span<char> into, Wait& wait) noexcept;
  Transfer try_write(std::span<iovec> pieces, Wait& wait) noexcept;
  Transfer try_write_tls(std::span<iovec> pieces, Wait& wait) noexcept;
  Transfer tls_result(int result, Wait& wait) noexcept;
  template <class Done>
  void wait_for(Wait wait, Done done);
  boost::system::error_code ended(bool& timed_out, boost::system::error_code ec) noexcept;

  Socket socket_;
  SslPtr ssl_;
  Deadline read_deadline_;
  Deadline write_deadline_;
  bool reading_ = false;  // a read waits
  bool read_timed_out_ = false;
  bool write_timed_out_ = false;
  std::vector<char> record_;  // TLS: small pieces gathered into one record
};

// Awaitable of Stream::read_some.
class Stream::Read {
 public:
  Read(Stream& stream, std::span<char> into, MonotonicNs expiry)
      : stream_(stream), into_(into), expiry_(expiry) {}
  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> waiter);
  Transfer await_resume() noexcept { return result_; }

 private:
  void start();
  void finish(boost::system::error_code ec, std::size_t bytes);

  Stream& stream_;
  std::span<char> into_;
  MonotonicNs expiry_;
  Wait wait_ = Wait::read;
  Transfer result_;
  std::coroutine_handle<> waiter_;
};

// Awaitable of Stream::write.
class Stream::Write {
 public:
  Write(Stream& stream, std::span<iovec> pieces, MonotonicNs patience)
      : stream_(stream), pieces_(pieces), patience_(patience) {}
  bool await_ready() noexcept { return advance(); }
  void await_suspend(std::coroutine_handle<> waiter);
  Transfer await_resume() noexcept { return result_; }

 private:
  bool advance() noexcept;  // true: all written, or failed
  void start();

  Stream& stream_;
  std::span<iovec> pieces_;
  MonotonicNs patience_;
  Wait wait_ = Wait::write;
  Transfer result_;
  std::coroutine_handle<> waiter_;
};

inline Stream::Read Stream::read_some(std::span<char> into, MonotonicNs expiry) {
  return Read(*this, into, expiry);
}
inline Stream::Write Stream::write(std::span<iovec> pieces, MonotonicNs patience_ns) {
  return Write(*this, pieces, patience_ns);
}

}  // namespace segue::runtime
