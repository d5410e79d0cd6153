// What a coroutine type costs on the client path: one thread passes a 200 byte message over a
// socket pair and back, each side a coroutine that reads through one nested call, as a session
// reads through its helpers. The runtime's Task and Stream against Asio's awaitable with
// use_awaitable. Prints nanoseconds of CPU a round trip, interleaved rounds, medians.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <vector>

#include "runtime/stream.hpp"
#include "runtime/task_group.hpp"

namespace {

namespace asio = boost::asio;
using namespace segue::runtime;

constexpr int kTrips = 50'000;
constexpr std::size_t kMessage = 200;

double cpu_ns() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_usec) * 1e3;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

std::array<int, 2> make_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
    std::terminate();
  return ends;
}

Task<std::size_t> take(Stream& stream, std::span<char> into) {
  const Transfer got = co_await stream.read_some(into, kNever);
  co_return got.bytes;
}

Task<void> own_side(Core& core, Stream& stream, bool first) {
  std::array<char, 512> room{};
  for (int i = 0; i < kTrips; ++i) {
    const std::span<char> into(room);
    if (!first) co_await take(stream, into);
    iovec piece{room.data(), kMessage};
    const std::span<iovec> pieces(&piece, 1);
    co_await stream.write(pieces, kNever);
    if (first) co_await take(stream, into);
  }
  if (first) core.stop();
}

double own_round() {
  Core core(0);
  TaskGroup group;
  Stream left(core);
  Stream right(core);
  const auto ends = make_pair();
  if (left.assign(ends[0]) || right.assign(ends[1])) std::terminate();
  group.spawn(own_side(core, right, false));
  group.spawn(own_side(core, left, true));
  const double start = cpu_ns();
  core.run();
  const double used = cpu_ns() - start;
  return used / kTrips;
}

using Socket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> kUse;

Awaitable<std::size_t> asio_take(Socket& socket, std::span<char> into) {
  const auto buffer = asio::buffer(into.data(), into.size());
  co_return co_await socket.async_read_some(buffer, kUse);
}

Awaitable<void> asio_side(asio::io_context& context, Socket& socket, bool first) {
  std::array<char, 512> room{};
  for (int i = 0; i < kTrips; ++i) {
    const std::span<char> into(room);
    if (!first) co_await asio_take(socket, into);
    const auto message = asio::buffer(room.data(), kMessage);
    co_await asio::async_write(socket, message, kUse);
    if (first) co_await asio_take(socket, into);
  }
  if (first) context.stop();
}

double asio_round() {
  asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  const auto ends = make_pair();
  Socket left(context.get_executor(), asio::local::stream_protocol(), ends[0]);
  Socket right(context.get_executor(), asio::local::stream_protocol(), ends[1]);
  asio::co_spawn(context, asio_side(context, right, false), asio::detached);
  asio::co_spawn(context, asio_side(context, left, true), asio::detached);
  const double start = cpu_ns();
  context.run();
  return (cpu_ns() - start) / kTrips;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  std::vector<double> own;
  std::vector<double> asios;
  for (int round = 0; round < 9; ++round) {
    own.push_back(own_round());
    asios.push_back(asio_round());
  }
  fmt::print(
      "round trip, CPU ns (median of 9): runtime::Task {:.0f}, asio::awaitable {:.0f}, ratio "
      "{:.2f}\n",
      median(own), median(asios), median(own) / median(asios));
}
