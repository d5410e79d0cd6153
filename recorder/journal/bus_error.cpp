#include "recorder/journal/bus_error.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

namespace segue::recorder {
namespace {

struct Mapping {
  std::atomic<std::uintptr_t> base{0};  // 0: free, 1: being filled
  std::atomic<std::size_t> bytes{0};
  std::atomic<const char*> path{nullptr};
};

std::array<Mapping, 4096> mappings;
struct sigaction former;  // NOLINT: read by the handler, set once before it is installed

const char* path_at(std::uintptr_t address) noexcept {
  for (const Mapping& mapping : mappings) {
    const std::uintptr_t base = mapping.base.load(std::memory_order_acquire);
    if (base > 1 && address >= base && address - base < mapping.bytes.load())
      return mapping.path.load();
  }
  return nullptr;
}

void say(const char* text) noexcept {
  const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(ignored);
}

// Async-signal-safe: atomics and write() only. Returning runs the faulting store again, which
// then meets the handler that was there before.
void on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  const char* const path = path_at(reinterpret_cast<std::uintptr_t>(info->si_addr));
  if (path != nullptr) {
    say("segue: the disk under the journal failed (SIGBUS) in segment ");
    say(path);
    say("\n");
  }
  ::sigaction(signal, &former, nullptr);
}

bool install() noexcept {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, nullptr, &former);
  return ::sigaction(SIGBUS, &action, nullptr) == 0;
}

}  // namespace

void remember_mapping(const char* base, std::size_t bytes, const char* path) noexcept {
  [[maybe_unused]] static const bool installed = install();
  for (Mapping& mapping : mappings) {
    std::uintptr_t free = 0;
    if (!mapping.base.compare_exchange_strong(free, 1)) continue;
    mapping.bytes.store(bytes);
    mapping.path.store(path);
    mapping.base.store(reinterpret_cast<std::uintptr_t>(base), std::memory_order_release);
    return;
  }
}

void forget_mapping(const char* base) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  for (Mapping& mapping : mappings) {
    if (mapping.base.load() != address) continue;
    mapping.base.store(0, std::memory_order_release);
    return;
  }
}

}  // namespace segue::recorder
