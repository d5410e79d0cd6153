#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/head.hpp"
#include "routing/regex_pool.hpp"
#include "routing/route_rule.hpp"

namespace segue::routing {

// A condition on one header or query value, compiled. `name` is the index of its name in the
// table's list of header or query names, so that each value is looked up once per request.
struct Condition {
  std::uint32_t name = 0;
  ValueCondition::Test test = ValueCondition::Test::equals;
  std::string value;
  const re2::RE2* regex = nullptr;

  bool holds(const std::optional<std::string_view>& given) const noexcept;
  bool operator==(const Condition&) const = default;
};

// Whether every value that satisfies `narrow` satisfies `wide`. Both must be on the same name.
// Two different expressions never imply one another here.
bool implies(const Condition& narrow, const Condition& wide);

// Whether no value satisfies both, proven. Both must be on the same name.
bool excludes(const Condition& a, const Condition& b);

// A value that satisfies both, or nullopt when none could be found.
std::optional<std::string> value_for(const Condition& a, const Condition& b);
std::optional<std::string> value_for(const Condition& condition);

// "1", "present" or "~[0-9]+": the condition without its name.
std::string text_of(const Condition& condition);

// The values of one request that conditions read, each looked up at most once. begin() forgets
// the last request; nothing is allocated once it has seen a request of its table.
class RequestValues {
 public:
  void begin(const HeadView& head, std::string_view query,
             std::span<const std::string> header_names, std::span<const std::string> query_names);
  std::optional<std::string_view> header(std::uint32_t name);
  std::optional<std::string_view> query(std::uint32_t name);

 private:
  struct Known {
    std::uint64_t request = 0;  // the request it was looked up for
    std::optional<std::string_view> value;
  };

  std::uint64_t request_ = 0;
  std::span<const Field> fields_;
  std::string_view query_text_;
  std::span<const std::string> header_names_;
  std::span<const std::string> query_names_;
  std::vector<Known> headers_;
  std::vector<Known> queries_;
  std::vector<std::string> decoded_;  // one per query name: views into it stay valid
};

}  // namespace segue::routing
