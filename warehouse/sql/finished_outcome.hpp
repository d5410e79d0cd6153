#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

// What FINISH records say of their exchanges: the outcome, by the exchange's id in text.
using FinishedOutcomes = std::unordered_map<std::string, std::string, TextHash, std::equal_to<>>;

// What such a function found out, once it was needed. Any thread.
class FoundOutcomes {
 public:
  explicit FoundOutcomes(std::function<FinishedOutcomes()> find) : find_(std::move(find)) {}

  // The first one to ask finds out, the others wait for it.
  std::shared_ptr<const FinishedOutcomes> get();
  // Frees them, once nobody reads them; who asks again finds out again.
  void forget();

 private:
  const std::function<FinishedOutcomes()> find_;
  std::mutex finding_;
  std::shared_ptr<const FinishedOutcomes> outcomes_;  // under `finding_`
};

// Gives statements the function finished_outcome(id, outcome), or by another name: what a FINISH
// says of a COMPLETED exchange, else `outcome` as it is. `find` is asked once, when a statement
// first needs it; it may ask `engine` by connections of its own (Engine::open). What it throws
// comes out of the statement. Throws SqlError.
std::shared_ptr<FoundOutcomes> add_finished_outcome(Engine& engine,
                                                    std::function<FinishedOutcomes()> find,
                                                    const char* name = "finished_outcome");

}  // namespace segue::warehouse
