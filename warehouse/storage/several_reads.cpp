#include "warehouse/storage/several_reads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace segue::warehouse {
namespace {

constexpr std::size_t kAtATime = 16;

}  // namespace

std::vector<std::optional<std::string>> read_several(ObjectStore& store,
                                                     std::span<const std::string> keys) {
  std::vector<std::optional<std::string>> contents(keys.size());
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto read_on = [&] {
    try {
      for (std::size_t at = next++; at < keys.size(); at = next++)
        contents[at] = store.read(keys[at]);
    } catch (const std::exception&) {
      next = keys.size();
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    const std::size_t most = std::min(kAtATime, keys.size());
    std::vector<std::jthread> others;
    try {
      while (others.size() + 1 < most) others.emplace_back(read_on);
    } catch (const std::system_error&) {
      // No more threads are to be had: it goes on with those that are there.
    }
    read_on();
  }
  if (failure) std::rethrow_exception(failure);
  return contents;
}

}  // namespace segue::warehouse
