#include "compare/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "compare/shape.hpp"
#include "compare/yaml_text.hpp"
#include "recorder/redaction/json_path.hpp"

namespace segue::compare {
namespace {

constexpr std::size_t kMostRules = 256;  // of one list of one route; configuration takes no more

using Fields = std::vector<const FieldReport*>;

// What is new in the rules of one route: why, by what it says.
struct Suggested {
  RouteRules rules;
  std::map<std::string, std::string> headers{};  // comment by name
  std::map<std::string, std::string> ignored{};  // by path
  std::map<std::string, std::string> treated{};  // by path
  std::vector<std::string> notes{};

  bool any() const noexcept { return !headers.empty() || !ignored.empty() || !treated.empty(); }
};

std::string percent(const Share& share) {
  return fmt::format("{:.2f} %", 100 * share.value());
}

// "value differs in 48.10 % of 10000 pairs, and in 47.90 % of 200 of the same backend: a | b"
std::string seen_as(const FieldReport& field) {
  std::string text = fmt::format(
      "{} differs in {} of {} pairs, and in {} of {} of the same backend", name_of(field.kind),
      percent(field.raw), field.raw.of, percent(field.noise), field.noise.of);
  if (!field.examples.empty())
    text += fmt::format(": {} | {}", field.examples.front().left, field.examples.front().right);
  return yaml_comment(text);
}

// As it is written in JSON, without its quotation marks.
std::string_view unquoted(std::string_view text) noexcept {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

template <class Is>
bool all_examples(const FieldReport& field, Is is) {
  return !field.examples.empty() && std::ranges::all_of(field.examples, [&](const Example& one) {
    return is(unquoted(one.left)) && is(unquoted(one.right));
  });
}

// A type by which all values that were seen may be ignored.
IgnoredType type_of(const FieldReport& field) {
  if (field.kind != DifferenceKind::value) return IgnoredType::none;
  if (all_examples(field, is_uuid)) return IgnoredType::uuid;
  if (all_examples(field, is_timestamp)) return IgnoredType::timestamp;
  return IgnoredType::none;
}

using recorder::JsonStep;
using Steps = std::span<const JsonStep>;

// nullopt: no JSON path, such as that of a line.
std::optional<std::vector<JsonStep>> steps_of(std::string_view path) {
  recorder::JsonPath::Problem problem;
  if (!path.starts_with('$')) return std::nullopt;
  auto parsed = recorder::JsonPath::parse(path, problem);
  if (!parsed) return std::nullopt;
  return std::move(parsed->steps);
}

// How much of a field a rule must reach. A field is of many values where a step of it is `*`.
enum class Reach : std::uint8_t { all, some };

bool reaches(const JsonStep& rule, const JsonStep& field, Reach reach) {
  if (rule.kind == JsonStep::Kind::any) return true;
  if (field.kind == JsonStep::Kind::any) return reach == Reach::some;
  return rule.kind == field.kind && rule.name == field.name && rule.index == field.index;
}

// Whether ignoring what stands at `rule` hides the field, which may stand below it.
bool hides(Steps rule, Steps field, Reach reach) {
  if (rule.empty()) return true;
  for (std::size_t at = 0; at < field.size(); ++at) {
    if (reaches(rule[0], field[at], reach) && hides(rule.subspan(1), field.subspan(at + 1), reach))
      return true;
    if (!rule[0].descends) break;
  }
  return false;
}

// Of paths as they are written.
bool hides(std::string_view rule, std::string_view field, Reach reach) {
  const auto rule_steps = steps_of(rule);
  const auto field_steps = steps_of(field);
  return rule_steps && field_steps ? hides(Steps(*rule_steps), Steps(*field_steps), reach)
                                   : rule == field;
}

// Whether `field` is below a member of its own name where `path`, which ends in `.*`, stands for
// members whose names are data.
bool stands_beside(std::string_view field, std::string_view path) {
  const auto steps = steps_of(path);
  const auto others = steps_of(field);
  if (!path.ends_with(".*") || !steps || !others || others->size() < steps->size()) return false;
  const std::size_t last = steps->size() - 1;
  return (*others)[last].kind == JsonStep::Kind::name &&
         hides(Steps(*steps).first(last), Steps(*others).first(last), Reach::some);
}

// The suggestions for one route.
class Suggesting {
 public:
  Suggesting(const RouteReport& report, const RouteRules& rules) : report_(report) {
    suggested_.rules = rules;
  }

  Suggested take() {
    for (const auto& [name, fields] : noise(Part::header)) suggest_header(name, fields);
    // A path comes after what it stands below.
    for (const auto& [path, fields] : noise(Part::body)) suggest_path(path, fields);
    for (const auto& [path, fields] : noise(Part::status))
      note(path, fields, "no key silences a status");
    return std::move(suggested_);
  }

 private:
  std::map<std::string, Fields> noise(Part part) const {
    std::map<std::string, Fields> found;
    for (const FieldReport& field : report_.fields)
      if (field.part == part && field.judgement == Judgement::noise)
        found[field.field].push_back(&field);
    return found;
  }

  // What would be hidden by ignoring `path`, and is no noise; null: nothing.
  template <class Hides>
  const FieldReport* at_risk(Part part, Hides hides) const {
    const auto found = std::ranges::find_if(report_.fields, [&](const FieldReport& field) {
      return field.part == part && field.judgement != Judgement::noise && hides(field.field);
    });
    return found == report_.fields.end() ? nullptr : &*found;
  }

  // What has a name of its own among members whose names are data; null: nothing.
  const FieldReport* beside(const std::string& path) const {
    const auto found = std::ranges::find_if(report_.fields, [&](const FieldReport& field) {
      return field.part == Part::body && stands_beside(field.field, path);
    });
    return found == report_.fields.end() ? nullptr : &*found;
  }

  void note(std::string_view name, const Fields& fields, std::string_view why) {
    suggested_.notes.push_back(fmt::format("{} {}: {}; {}", name_of(fields.front()->part),
                                           yaml_comment(name), seen_as(*fields.front()), why));
  }

  void note_risk(std::string_view name, const Fields& fields, const FieldReport& risk) {
    note(name, fields,
         fmt::format("not suggested, it would hide {} of {} ({})", name_of(risk.kind),
                     yaml_comment(risk.field), name_of(risk.judgement)));
  }

  void suggest_header(const std::string& name, const Fields& fields) {
    // "set-cookie: sid", "trailer: checksum"
    if (name.find(':') != std::string::npos)
      return note(name, fields, "no key silences a part of a header");
    const auto same = [&](std::string_view field) { return field == name; };
    if (const FieldReport* const risk = at_risk(Part::header, same))
      return note_risk(name, fields, *risk);
    if (suggested_.rules.ignore_headers.size() >= kMostRules)
      return note(name, fields, "there is no room for more rules");
    suggested_.rules.ignore_headers.push_back(name);
    suggested_.headers.emplace(name, seen_as(*fields.front()));
  }

  void suggest_path(const std::string& path, const Fields& fields) {
    if (!steps_of(path)) return note(path, fields, "no key silences it");
    if (std::ranges::any_of(suggested_.rules.ignore_json, [&](const std::string& ignored) {
          return hides(ignored, path, Reach::all);
        }))
      return;
    const auto below = [&](std::string_view field) { return hides(path, field, Reach::some); };
    const FieldReport* const risk = at_risk(Part::body, below);
    if (const FieldReport* const named = beside(path))
      return risk != nullptr ? note_risk(path, fields, *risk)
                             : note(path, fields,
                                    fmt::format("not suggested, {} stands beside it",
                                                yaml_comment(named->field)));
    const bool by_treatment = std::ranges::all_of(fields, is_treatable);
    Fields left;
    for (const FieldReport* const field : fields)
      if (!(by_treatment || risk != nullptr) || !treat(path, *field)) left.push_back(field);
    if (left.empty()) return;
    if (risk != nullptr)
      note_risk(path, left, *risk);
    else
      ignore(path, left);
  }

  static bool is_treatable(const FieldReport* field) {
    return field->kind == DifferenceKind::order || type_of(*field) != IgnoredType::none;
  }

  bool treat(const std::string& path, const FieldReport& field) {
    const IgnoredType type = type_of(field);
    const bool is_set = field.kind == DifferenceKind::order;
    if (!is_treatable(&field)) return false;
    auto rule = std::ranges::find(suggested_.rules.json, path, &PathRule::path);
    if (rule == suggested_.rules.json.end()) {
      if (suggested_.rules.json.size() >= kMostRules) return false;
      rule = suggested_.rules.json.insert(rule,
                                          PathRule{.path = path, .array_key = {}, .pattern = {}});
    }
    // What stands there did not silence it.
    if (is_set ? rule->array != ArrayPolicy::ordered : rule->ignore != IgnoredType::none)
      return false;
    if (is_set)
      rule->array = ArrayPolicy::set;
    else
      rule->ignore = type;
    suggested_.treated.emplace(path, seen_as(field));
    return true;
  }

  void ignore(const std::string& path, const Fields& fields) {
    if (suggested_.rules.ignore_json.size() >= kMostRules)
      return note(path, fields, "there is no room for more rules");
    suggested_.rules.ignore_json.push_back(path);
    suggested_.ignored.emplace(path, seen_as(*fields.front()));
  }

  const RouteReport& report_;
  Suggested suggested_;
};

void write_list(std::string_view key, const std::vector<std::string>& items,
                const std::map<std::string, std::string>& comments, std::string& out) {
  if (items.empty()) return;
  fmt::format_to(std::back_inserter(out), "      {}:\n", key);
  for (const std::string& item : items) {
    if (const auto why = comments.find(item); why != comments.end())
      fmt::format_to(std::back_inserter(out), "        # {}\n", why->second);
    fmt::format_to(std::back_inserter(out), "        - {}\n", yaml_text(item));
  }
}

std::string rule_text(const PathRule& rule) {
  std::string text = fmt::format("path: {}", yaml_text(rule.path));
  if (rule.array == ArrayPolicy::set) text += ", array: set";
  if (rule.array == ArrayPolicy::by_key)
    text += fmt::format(", array: {}", yaml_text("by: " + rule.array_key));
  if (rule.tolerance > 0) text += fmt::format(", tolerance: {}", rule.tolerance);
  if (rule.ignore == IgnoredType::uuid) text += ", ignore: uuid";
  if (rule.ignore == IgnoredType::timestamp) text += ", ignore: timestamp";
  if (rule.ignore == IgnoredType::pattern)
    text += fmt::format(", ignore: {}", yaml_text(rule.pattern));
  return text;
}

void write_route(const std::string& name, const Suggested& suggested, std::string& out) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "  {}:\n    compare:\n", yaml_text(name));
  for (const std::string& note : suggested.notes) fmt::format_to(to, "      # {}\n", note);
  write_list("ignore_headers", suggested.rules.ignore_headers, suggested.headers, out);
  write_list("ignore_json", suggested.rules.ignore_json, suggested.ignored, out);
  if (!suggested.rules.json.empty()) fmt::format_to(to, "      json:\n");
  for (const PathRule& rule : suggested.rules.json) {
    if (const auto why = suggested.treated.find(rule.path); why != suggested.treated.end())
      fmt::format_to(to, "        # {}\n", why->second);
    fmt::format_to(to, "        - {{ {} }}\n", rule_text(rule));
  }
  fmt::format_to(to, "      min_pairs: {}\n", suggested.rules.min_pairs);
}

}  // namespace

std::string suggest_rules(const Report& report, const std::map<std::string, RouteRules>& rules) {
  std::string routes;
  std::string notes;
  for (const RouteReport& route : report.routes) {
    const auto known = rules.find(route.route);
    const Suggested suggested =
        Suggesting(route, known == rules.end() ? RouteRules{} : known->second).take();
    if (suggested.any()) {
      write_route(route.route, suggested, routes);
      continue;
    }
    for (const std::string& note : suggested.notes)
      fmt::format_to(std::back_inserter(notes), "# {}: {}\n", yaml_comment(route.route), note);
  }
  if (routes.empty() && notes.empty()) return {};
  std::string text =
      "# What is new here was noise when it was compared, and is no longer looked at once it "
      "stands\n"
      "# in the configuration: read each line before you take it over.\n";
  text += notes;
  if (!routes.empty()) text += "routes:\n" + routes;
  return text;
}

}  // namespace segue::compare
