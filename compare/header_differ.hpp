#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compare/difference_list.hpp"
#include "compare/hidden_values.hpp"
#include "compare/settings.hpp"
#include "compare/tree.hpp"
#include "recorder/exchange.pb.h"

namespace segue::compare {

// Compares header and trailer fields of two responses: names without case, fields of one name as
// the list they are (RFC 9110, 5.3), Set-Cookie by cookie (RFC 6265, 4.1), Content-Type as a media
// type. One thread; keeps its memory.
class HeaderDiffer {
 public:
  explicit HeaderDiffer(const RouteRules& rules);

  void compare(const v1::Exchange& left, const v1::Exchange& right, DifferenceList& list);

 private:
  struct Value {
    std::string_view name;
    std::string_view text;
    std::string_view suffix;  // of a cookie: which, and which of its attributes
    bool is_trailer = false;
    std::uint32_t at = 0;  // in the order in which they came
  };
  using Values = std::vector<Value>;

  bool is_ignored(std::string_view name) const;
  std::string_view lowered(std::string_view name);
  std::string_view attribute_of(std::string_view cookie, std::string_view attribute);
  void gather(const v1::Response& response, Values& values);
  void add_field(const v1::Field& field, bool is_trailer, Values& values);
  void add_cookie(std::string_view cookie, Values& values);
  void compare_group(const Value* left, std::size_t left_count, const Value* right,
                     std::size_t right_count, DifferenceList& list);
  static std::string_view joined(const Value* values, std::size_t count, std::string& room);

  std::vector<std::string> ignored_;  // sorted
  HiddenValues left_hidden_;
  HiddenValues right_hidden_;
  Values left_;
  Values right_;
  TextArena texts_;  // what was put in lower case
  std::string path_;
  std::string left_text_;
  std::string right_text_;
};

}  // namespace segue::compare
