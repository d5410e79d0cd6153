#include "runtime/core.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <string>

#include "exchange/error.hpp"

namespace segue::runtime {
namespace {

constexpr std::size_t kEventsATurn = 256;
constexpr int kTickMillis = static_cast<int>(DeadlineWheel::kTick / 1'000'000);

// Quota of the cgroup this process is in, in CPUs; 0 when there is none. cgroup v2 says
// "max 100000" or "150000 100000" in cpu.max; inside a container its own group is the root.
double cgroup_quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::strtod(quota.c_str(), nullptr) / period;
}

}  // namespace

unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  unsigned cpus = std::max(1u, std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    cpus = std::max(1u, static_cast<unsigned>(CPU_COUNT(&set)));
  const double quota = cgroup_quota();
  if (quota > 0) cpus = std::min(cpus, std::max(1u, static_cast<unsigned>(std::ceil(quota))));
  return cpus;
}

Core::Core(unsigned index)
    : index_(index),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      work_(boost::asio::make_work_guard(context_)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      wheel_(monotonic_now()) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  if (epoll_.get() < 0 || event_.get() < 0 ||
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) != 0)
    throw StartupError(std::string("cannot make an event loop: ") + std::strerror(errno) +
                       "; raise the limit of open files");
}

Core::~Core() {
  stop();
  join();
}

void Core::start(int cpu) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), ("core-" + std::to_string(index_)).c_str());
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  pthread_setaffinity_np(thread_.native_handle(), sizeof set, &set);
}

void Core::stop() {
  stopping_.store(true);
  interrupt();
}

void Core::join() {
  if (thread_.joinable()) thread_.join();
}

// One write wakes the core for any number of messages.
void Core::interrupt() noexcept {
  if (interrupted_.exchange(true)) return;
  const std::uint64_t one = 1;
  const ssize_t written = ::write(event_.get(), &one, sizeof one);
  static_cast<void>(written);  // it cannot be full: it is read each time it is written
}

void Core::run() {
  std::array<epoll_event, kEventsATurn> events;
  MonotonicNs next_tick = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const bool hurry = !later_.empty() || !in_turn_.empty();
    const int told = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                hurry ? 0 : kTickMillis);
    if (told > 0) dispatch({events.data(), static_cast<std::size_t>(told)});
    wake_late();
    if (!in_turn_.empty()) wake_those_in_turn();
    const MonotonicNs now = monotonic_now();
    if (now < next_tick) continue;
    next_tick = now + DeadlineWheel::kTick;
    wheel_.advance(now);
    context_.poll();  // resolved names come without an interrupt
  }
}

void Core::dispatch(std::span<epoll_event> events) {
  in_hand_ = events;
  while (!in_hand_.empty()) {
    const epoll_event event = in_hand_.front();
    in_hand_ = in_hand_.subspan(1);
    if (event.data.ptr != nullptr) {
      if (event.events != 0) static_cast<Descriptor*>(event.data.ptr)->on_events(event.events);
      continue;
    }
    std::uint64_t count = 0;
    const ssize_t taken = ::read(event_.get(), &count, sizeof count);
    static_cast<void>(taken);
    interrupted_.store(false);
    context_.poll();
  }
}

void Core::forget(const Descriptor& descriptor) noexcept {
  for (epoll_event& event : in_hand_)
    if (event.data.ptr == &descriptor) event.events = 0;
}

void Core::wake_late() {
  for (std::size_t i = 0; i < later_.size(); ++i) {  // who is woken may add more
    const Late late = later_[i];
    late.waiter->wake(*late.waiter, late.why);
  }
  later_.clear();
}

// Who waits again while others are woken has its turn after the next look at what came.
void Core::wake_those_in_turn() {
  const MonotonicNs end = monotonic_now() + kTurnNs;
  for (std::size_t left = in_turn_.size(); left != 0; --left) {
    Waiter* const waiter = in_turn_.front();
    in_turn_.pop_front();
    waiter->wake(*waiter, {});
    if (monotonic_now() >= end) break;
  }
}

}  // namespace segue::runtime
