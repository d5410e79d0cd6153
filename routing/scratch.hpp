#pragma once

#include <string>
#include <vector>

#include "exchange/exchange.hpp"
#include "routing/conditions.hpp"
#include "routing/request_path.hpp"

namespace segue::routing {

// Memory of one decision in flight; one per session, reused, never shared between threads.
// decide() allocates only when a request needs more than earlier ones grew it to. It must not be
// moved or touched while the views of a Decision made with it are in use; the next decide() with
// it ends them.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

 private:
  friend class Decider;

  RequestPath path_;
  RequestPath other_reading_;
  RequestValues values_;
  std::string host_;
  std::vector<Parameter> parameters_;
  std::string sticky_key_;
  std::string account_id_;
  std::string upstream_target_;
};

}  // namespace segue::routing
