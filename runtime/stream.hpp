#pragma once

#include <sys/uio.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <coroutine>
#include <span>
#include <string>
#include <string_view>

#include "runtime/core.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/task.hpp"
#include "runtime/tls.hpp"

namespace segue::runtime {

// What an operation on a stream came to: bytes moved, and why it stopped if it did.
// ec timed_out: its expiry passed, and nothing else; operation_aborted: cancel() or close(). A peer
// of which the kernel heard nothing for too long is a connection_reset.
struct Transfer {
  boost::system::error_code ec;
  std::size_t bytes = 0;  // read: 0 without an error is the end of the stream
};

// A connected byte stream, plain or TLS, of one core. Immovable. One read and one write may be
// under way at once; they must have ended before the stream goes (close() ends them; their
// coroutine goes on from the event loop, not within close()). The system call is tried first where
// the descriptor may be ready, and the coroutine suspends only when it would block.
class Stream {
 public:
  using Address = boost::asio::generic::stream_protocol::endpoint;  // TCP or Unix

  explicit Stream(Core& core) : descriptor_(core) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Takes over a connected, non-blocking descriptor.
  boost::system::error_code assign(int descriptor) noexcept { return descriptor_.open(descriptor); }
  // `peer` must outlive the task.
  Task<boost::system::error_code> connect(const Address& peer, MonotonicNs expiry);
  // TLS from here on; the peer's certificate is verified on the client's side. A context that
  // changes or goes while this runs does no harm. An error is of certificate_category() or
  // tls_category() where TLS says what was wrong; the stream is plain again then, with the peer
  // told by an alert, if it speaks TLS.
  Task<boost::system::error_code> handshake(const TlsContext& tls, MonotonicNs expiry);

  // Waits until more than `seen` bytes are there, and copies all that is there into `into` without
  // taking it; `seen` bytes again are the end of the stream. Of a plain stream; `into` must outlive
  // the task.
  Task<Transfer> peek(std::span<char> into, std::size_t seen, MonotonicNs expiry);
  // Takes the first `bytes` of what peek() showed and put there; `shown` did not fill its room.
  boost::system::error_code take(std::span<char> shown, std::size_t bytes) noexcept;

  class Read;
  class Write;
  class Readable;
  // Waits until read_some() has something to say, so that whoever waits needs no buffer.
  Readable readable(MonotonicNs expiry) noexcept;
  // Waits for some bytes. `into` must outlive the operation and not be empty.
  Read read_some(std::span<char> into, MonotonicNs expiry);
  // Writes all of `pieces`, which are used up (their iov_base and iov_len change). Each time the
  // peer takes something, `patience` starts anew; kNever waits for ever. Nothing is waited for
  // beyond `expiry`, however much the peer takes.
  Write write(std::span<iovec> pieces, MonotonicNs patience_ns, MonotonicNs expiry = kNever);

  // Changes the expiry of the read that waits now; nothing when none does.
  void expect_read_by(MonotonicNs expiry) noexcept { descriptor_.expect_by(Way::in, expiry); }

  // Ends what waits, with operation_aborted; the stream stays open.
  void cancel() noexcept { descriptor_.cancel(); }
  // Ends our sending. With TLS the peer is told first that this was all (close_notify), which it is
  // waited for until it takes that, or until `expiry`; without the word it would take what it got
  // for cut off.
  Task<void> end_sending(MonotonicNs expiry);
  // The same at once: a peer that has taken nothing lately may not be told.
  void shutdown_send() noexcept;
  void close() noexcept { descriptor_.close(); }
  // Closes with RST: the peer sees that what it got is not whole.
  void reset() noexcept;

  // Small writes leave at once (TCP only).
  void set_no_delay() noexcept;
  // Whether the peer reset the connection or it broke; a peer that only ended its sending is
  // not gone. One system call.
  bool peer_gone() noexcept;
  // Whether an idle stream is still fit to be used: nothing to read, no end. `heard`: as far as
  // the loop has been told; `asked`: one system call.
  enum class Quiet : std::uint8_t { heard, asked };
  bool quiet(Quiet how) noexcept;

  bool is_tls() const noexcept { return ssl_ != nullptr; }
  std::string tls_version() const;      // "TLSv1.3"; empty: plain
  std::string tls_server_name() const;  // SNI the client sent
  // The protocol that was agreed on (ALPN), as long as the stream lives; empty: none.
  std::string_view tls_protocol() const noexcept;

 private:
  bool can_wait(Way way) noexcept;
  bool has_pending() const noexcept;  // decrypted bytes that no event will announce
  bool may_read() noexcept;           // a read may have something to say
  // One attempt; would_block: `way` says what to wait for.
  Transfer try_read(std::span<char> into, Way& way) noexcept;
  Transfer try_write(std::span<iovec> pieces, Way& way) noexcept;
  Transfer try_write_tls(std::span<iovec> pieces, Way& way) noexcept;
  Transfer tls_result(int result, Way& way) noexcept;
  // Tells the peer of the end. False: there is no room for that now.
  bool try_tell_end() noexcept;
  // One step of a handshake.
  boost::system::error_code try_handshake(Way& way) noexcept;

  Descriptor descriptor_;
  SslPtr ssl_;
  std::uint8_t reads_at_once_ = 0;  // without having waited
};

// Awaitable of Stream::readable.
class Stream::Readable {
 public:
  Readable(Stream& stream, MonotonicNs expiry) noexcept
      : stream_(stream), until_(stream.descriptor_, Way::in, expiry) {}
  bool await_ready() const noexcept { return stream_.may_read(); }
  void await_suspend(std::coroutine_handle<> resume) noexcept { until_.await_suspend(resume); }
  boost::system::error_code await_resume() const noexcept { return until_.await_resume(); }

 private:
  Stream& stream_;
  Descriptor::Until until_;
};

// Awaitable of Stream::read_some.
class Stream::Read : Waiter {
 public:
  Read(Stream& stream, std::span<char> into, MonotonicNs expiry)
      : Waiter(woken), stream_(stream), into_(into), expiry_(expiry) {}
  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> resume) noexcept;
  Transfer await_resume() const noexcept { return result_; }

 private:
  static void woken(Waiter& self, boost::system::error_code why);

  Stream& stream_;
  std::span<char> into_;
  MonotonicNs expiry_;
  Way way_ = Way::in;
  Transfer result_;
  std::coroutine_handle<> resume_;
};

// Awaitable of Stream::write.
class Stream::Write : Waiter {
 public:
  Write(Stream& stream, std::span<iovec> pieces, MonotonicNs patience, MonotonicNs expiry)
      : Waiter(woken), stream_(stream), pieces_(pieces), patience_(patience), expiry_(expiry) {}
  bool await_ready() noexcept { return advance(); }
  void await_suspend(std::coroutine_handle<> resume) noexcept;
  Transfer await_resume() const noexcept { return result_; }

 private:
  static void woken(Waiter& self, boost::system::error_code why);
  bool advance() noexcept;  // true: all written, or failed
  void wait() noexcept;

  Stream& stream_;
  std::span<iovec> pieces_;
  MonotonicNs patience_;
  MonotonicNs expiry_;
  Way way_ = Way::out;
  Transfer result_;
  std::coroutine_handle<> resume_;
};

inline Stream::Readable Stream::readable(MonotonicNs expiry) noexcept {
  return Readable(*this, expiry);
}
inline Stream::Read Stream::read_some(std::span<char> into, MonotonicNs expiry) {
  return Read(*this, into, expiry);
}
inline Stream::Write Stream::write(std::span<iovec> pieces, MonotonicNs patience_ns,
                                   MonotonicNs expiry) {
  return Write(*this, pieces, patience_ns, expiry);
}

}  // namespace segue::runtime
