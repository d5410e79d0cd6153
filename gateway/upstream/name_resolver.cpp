#include "gateway/upstream/name_resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <system_error>

#include "runtime/clock.hpp"

namespace segue::gateway {
namespace {

using boost::asio::ip::address;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
namespace errors = boost::asio::error;

error_code error_of(int result) {
  switch (result) {
    case EAI_NONAME:
    case EAI_NODATA:
      return errors::host_not_found;
    case EAI_AGAIN:
      return errors::host_not_found_try_again;
    case EAI_FAIL:
      return errors::no_recovery;
    case EAI_MEMORY:
      return make_error_code(errors::no_memory);
    case EAI_SYSTEM:
      return {errno, boost::system::system_category()};
    default:
      return {result, errors::get_addrinfo_category()};
  }
}

// Whether these are the same addresses, in any order: DNS servers like to turn their answers round.
bool same(std::vector<address> one, std::vector<address> other) {
  std::ranges::sort(one);
  std::ranges::sort(other);
  return one == other;
}

}  // namespace

std::optional<address> literal_address(const std::string& host) {
  error_code no_address;
  const address literal = boost::asio::ip::make_address(host, no_address);
  if (no_address) return std::nullopt;
  return literal;
}

ResolvedName::Addresses ResolvedName::addresses() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

std::optional<error_code> ResolvedName::failure() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void ResolvedName::take(NameAnswer answer) {
  const std::lock_guard lock(mutex_);
  if (!answer.error && answer.addresses.empty()) answer.error = errors::host_not_found;
  last_ = answer.error;
  if (answer.error) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (same(known_.list, answer.addresses)) return;
  known_.list = std::move(answer.addresses);
  version_.store(++known_.version, std::memory_order_release);
}

NameAnswer NameResolver::ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (result != 0) return {error_of(result), {}};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  NameAnswer answer;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (each->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    if (std::ranges::find(answer.addresses, endpoint.address()) == answer.addresses.end())
      answer.addresses.push_back(endpoint.address());
  }
  return answer;
}

// Everything that a lookup's thread touches.
struct NameResolver::Shared {
  struct Name {
    std::string host;
    std::chrono::milliseconds refresh{0};
    Clock::time_point due;  // the next lookup; the first one is at once
    bool under_way = false;
    ResolvedName resolved;
  };

  // The thread that begins lookups, until stopping.
  static void run(const std::shared_ptr<Shared>& shared);
  static void begin(const std::shared_ptr<Shared>& shared, Name& name);
  void look_up(Name& name);

  Lookup lookup;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::unique_ptr<Name>> names;
  std::size_t lookups = 0;  // under way
  bool stopping = false;
};

void NameResolver::Shared::run(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (!shared->stopping) {
    const auto now = Clock::now();
    auto next = Clock::time_point::max();
    for (const auto& name : shared->names) {
      if (name->under_way || shared->lookups == kMaxLookups) continue;
      if (name->due <= now)
        begin(shared, *name);
      else
        next = std::min(next, name->due);
    }
    if (next == Clock::time_point::max())
      shared->changed.wait(lock);
    else
      shared->changed.wait_until(lock, next);
  }
}

// With the mutex held.
void NameResolver::Shared::begin(const std::shared_ptr<Shared>& shared, Name& name) {
  name.under_way = true;
  ++shared->lookups;
  try {
    std::thread([shared, &name] { shared->look_up(name); }).detach();
  } catch (const std::exception&) {  // no more threads, or no memory for one: later, perhaps
    name.under_way = false;
    --shared->lookups;
    name.resolved.take({make_error_code(errors::no_buffer_space), {}});
    name.due = Clock::now() + kTryAgain;
  }
}

// On a thread of its own, which nothing may leave: what is thrown (memory) is a lookup that failed.
void NameResolver::Shared::look_up(Name& name) {
  bool failed = true;
  try {
    NameAnswer answer = lookup(name.host);
    const bool found = !answer.error && !answer.addresses.empty();
    name.resolved.take(std::move(answer));
    failed = !found;
  } catch (const std::exception&) {
    name.resolved.take({make_error_code(errors::no_memory), {}});
  }
  const std::lock_guard lock(mutex);
  name.due = Clock::now() + (failed ? std::min(kTryAgain, name.refresh) : name.refresh);
  name.under_way = false;
  --lookups;
  changed.notify_one();
}

NameResolver::NameResolver(const std::vector<BackendSettings>& backends, Lookup lookup)
    : shared_(std::make_shared<Shared>()) {
  shared_->lookup = std::move(lookup);
  for (const BackendSettings& backend : backends) {
    std::vector<const ResolvedName*>& names = names_.emplace_back();
    for (const EndpointSettings& endpoint : backend.endpoints) {
      names.push_back(nullptr);
      if (!endpoint.socket_path.empty() || literal_address(endpoint.host)) continue;
      auto& name = shared_->names.emplace_back(std::make_unique<Shared::Name>());
      name->host = endpoint.host;
      name->refresh = backend.dns_refresh;
      names.back() = &name->resolved;
    }
  }
  if (!shared_->names.empty()) clock_ = std::thread([shared = shared_] { Shared::run(shared); });
}

NameResolver::~NameResolver() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_one();
  }
  if (clock_.joinable()) clock_.join();
}

}  // namespace segue::gateway
