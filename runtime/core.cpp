#include "runtime/core.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace segue::runtime {
namespace {

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
      wheel_(monotonic_now()),
      ticker_(context_.get_executor()) {
  post([this] { tick(); });
}

Core::~Core() {
  stop();
  join();
}

void Core::start(int cpu) {
  thread_ = std::thread([this] { context_.run(); });
  pthread_setname_np(thread_.native_handle(), ("core-" + std::to_string(index_)).c_str());
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  pthread_setaffinity_np(thread_.native_handle(), sizeof set, &set);
}

void Core::stop() {
  work_.reset();
  context_.stop();
}

void Core::join() {
  if (thread_.joinable()) thread_.join();
}

// One timer a core drives all deadlines.
void Core::tick() {
  wheel_.advance(monotonic_now());
  ticker_.expires_after(std::chrono::nanoseconds(DeadlineWheel::kTick));
  ticker_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec) tick();
  });
}

}  // namespace segue::runtime
