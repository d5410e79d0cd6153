#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/shadow/shadow.hpp"
#include "gateway/upstream/upstream.hpp"
#include "gateway/worker.hpp"
#include "recorder/capture.hpp"
#include "runtime/buffer.hpp"
#include "runtime/task_group.hpp"

namespace segue::gateway {

class ShadowCall;

// The shadows of one core: copies of requests that go to another backend when the exchange that
// they copy is over, so that nobody who is answered waits for one. Connections, buffers and capture
// memory are their own, the last as much as the core's share of `capture_memory`; what is under way
// is bounded by each route's max_in_flight. One thread.
class Shadows {
 public:
  // Null when no route has a shadow. The worker outlives it.
  static std::unique_ptr<Shadows> of(Worker& worker, unsigned cores);
  Shadows(Worker& worker, unsigned cores);
  Shadows(const Shadows&) = delete;
  Shadows& operator=(const Shadows&) = delete;
  ~Shadows();

  // With the primary's decision: makes exchange.shadow, or notes why there is none.
  void plan(Exchange& exchange) noexcept;
  // When the primary is over and on record as `sent`: sends the copy, after what the core has in
  // hand now. `rest`: of the request's body, what was promised and not added yet. Nothing of
  // client and exchange is needed afterwards.
  void launch(const Client& client, Exchange& exchange, std::string_view rest) noexcept;

  // Copies that run, until they are on record.
  std::size_t running() const noexcept { return tasks_.size(); }
  std::size_t failed() const noexcept { return tasks_.failed(); }
  std::uint64_t cut_captures() const noexcept { return captures_.cut_captures(); }
  // Cuts what runs, and what is still to come.
  void abort() noexcept;

 private:
  std::optional<ShadowResult> reason_to_skip(const Exchange& exchange,
                                             const ShadowSettings& settings,
                                             std::uint32_t draw) const noexcept;
  std::optional<ShadowResult> reason_not_to_repeat() const noexcept;
  runtime::Task<void> run(std::unique_ptr<Shadow> shadow);
  runtime::Task<ShadowResult> call(const Shadow& shadow, Kind kind);

  Worker& worker_;
  std::vector<ShadowBudget> budgets_;  // by route index
  runtime::BufferPool buffers_;
  recorder::CapturePool captures_;
  std::vector<BackendSettings> backends_;             // by backend index; as shadows may use them
  std::vector<std::unique_ptr<Upstream>> upstreams_;  // by backend index
  std::vector<ShadowCall*> calls_;
  bool aborted_ = false;
  runtime::TaskGroup tasks_;  // ends before what it uses
};

}  // namespace segue::gateway
