#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routing/path_pattern.hpp"
#include "routing/route_rule.hpp"

namespace segue::routing {

// A rewrite, read and checked against the path it applies to. Immutable.
class RewritePlan {
 public:
  RewritePlan() = default;
  // E049 to E051.
  static Checked<RewritePlan> read(const Rewrite& rewrite, const PathPattern& pattern);
  // Path and query of a redirect's location: a template that may bring a query of its own, in
  // which what would end a value is escaped. E049, E050. Empty: nothing is rewritten.
  static Checked<RewritePlan> read_location(std::string_view to, const PathPattern& pattern);

  RewriteForm form() const noexcept { return form_; }
  // The target to send upstream, built in `storage`. Parameters and what follows a prefix keep
  // their raw bytes, and the query stays unless the plan brings one. `raw_path` must be canonical (no quirks), so that its
  // raw segments are those the pattern matched.
  std::string_view apply(const PathPattern& pattern, std::string_view raw_path,
                         std::string_view query_with_mark, std::string& storage) const;

 private:
  struct Piece {
    std::string text;          // copied as it is
    std::size_t segment = 0;   // then this segment of the request, when `kind` says so
    enum class Kind : std::uint8_t { text_only, one_segment, rest } kind = Kind::text_only;
    bool in_query = false;     // that segment is a value in a query
  };
  enum class Query : std::uint8_t { kept, may_be_brought };
  static Checked<RewritePlan> read_path(std::string_view to, const PathPattern& pattern,
                                        Query query);
  static Checked<Piece> read_parameter(std::string_view name, const PathPattern& pattern);

  RewriteForm form_ = RewriteForm::none;
  std::string prefix_;  // without a slash at its end
  std::vector<Piece> pieces_;
  bool brings_query_ = false;
};

}  // namespace segue::routing
