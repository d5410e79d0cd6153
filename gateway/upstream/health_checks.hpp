#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "gateway/upstream/health_check.hpp"
#include "runtime/task_group.hpp"

namespace segue::gateway {

class Worker;

// The active checks that one core makes: of each endpoint of a backend with `health`, one core
// checks it for all, so that it is asked once per interval, whatever the number of cores. One
// thread.
class HealthChecks {
 public:
  // Null: there is nothing for this core to check. `worker` outlives it.
  static std::unique_ptr<HealthChecks> of(Worker& worker, unsigned cores);

  // On the core, once: the first checks begin.
  void start();
  // What is under way is cut, and verdicts stay as they are.
  void stop() noexcept;
  // Checks whose task is not over.
  std::size_t running() const noexcept { return tasks_.size(); }

 private:
  std::vector<std::unique_ptr<HealthCheck>> checks_;
  runtime::TaskGroup tasks_;
};

}  // namespace segue::gateway
