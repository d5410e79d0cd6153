#include "config/value_types.hpp"

#include <algorithm>

#include "recorder/redaction/json_path.hpp"

namespace segue::config {
namespace {

// Token characters (RFC 9110, 5.6.2).
bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

template <class V>
bool in_range(const Place& place, Context& context, V value, V min, V max, std::string (*show)(V)) {
  if (value >= min && value <= max) return true;
  context.report.add(codes::kOutOfRange, place.node.at,
                     fmt::format("{} must be between {} and {}, not {}", place.name, show(min),
                                 show(max), show(value)));
  return false;
}

std::string show_count(std::uint64_t value) {
  return fmt::format("{}", value);
}

}  // namespace

std::optional<std::string> HeaderName::read(const Place& place, Context& context) const {
  auto text = read_text(place, context, "a header name");
  if (!text || std::all_of(text->begin(), text->end(), is_token_character)) return text;
  refuse_value(place, context, "a header name");
  return std::nullopt;
}

std::optional<std::string> Topic::read(const Place& place, Context& context) const {
  constexpr std::string_view kExpected = "a topic: letters, digits, '.', '_' and '-'";
  constexpr std::size_t kLongest = 249;  // characters, as Kafka has it
  auto text = read_text(place, context, kExpected);
  if (!text) return std::nullopt;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (text->size() <= kLongest && *text != "." && *text != ".." &&
      std::all_of(text->begin(), text->end(), allowed))
    return text;
  refuse_value(place, context, kExpected);
  return std::nullopt;
}

std::optional<std::string> File::read(const Place& place, Context& context) const {
  const auto text = read_text(place, context, "a path");
  if (!text) return std::nullopt;
  return (context.folder / *text).lexically_normal().string();
}

std::optional<std::string> Secret::read(const Place& place, Context& context) const {
  if (place.node.kind == yaml::Kind::scalar) {
    context.report.add(codes::kInlineSecret, place.node.at,
                       fmt::format("{} is a secret and cannot be written here", place.name),
                       "write { file: path }");
    return std::nullopt;
  }
  if (!is_map(place, context)) return std::nullopt;
  for (const yaml::Entry& entry : place.node.entries)
    if (entry.key != "file") refuse_unknown_key(place, entry, context, {"file"});
  const yaml::Entry* file = place.node.find("file");
  if (file != nullptr) return File{}.read(place.child(*file), context);
  context.report.add(codes::kMissingKey, place.at, fmt::format("{} needs 'file'", place.name));
  return std::nullopt;
}

std::optional<std::string> JsonPathText::read(const Place& place, Context& context) const {
  auto text = read_text(place, context, "a JSON path such as $.card.number or $..password");
  if (!text) return std::nullopt;
  recorder::JsonPath::Problem problem;
  if (recorder::JsonPath::parse(*text, problem)) return text;
  context.report.add(codes::kBadValue, place.node.at,
                     fmt::format("{} is no JSON path: '{}', at character {}: {}", place.name, *text,
                                 problem.at + 1, problem.what));
  return std::nullopt;
}

std::optional<bool> Flag::read(const Place& place, Context& context) const {
  const auto text = read_scalar(place, context, "true or false");
  if (!text) return std::nullopt;
  if (yaml::core_type(place.node) != yaml::CoreType::boolean) {
    refuse_type(place, context, "true or false");
    return std::nullopt;
  }
  return text->front() == 't' || text->front() == 'T';
}

std::optional<std::uint64_t> Count::read(const Place& place, Context& context) const {
  const auto text = read_scalar(place, context, "a whole number");
  if (!text) return std::nullopt;
  const auto value = parse_count(*text);
  if (!value || place.node.quoted) {
    refuse_type(place, context, "a whole number");
    return std::nullopt;
  }
  if (!in_range(place, context, *value, min, max, show_count)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> Size::read(const Place& place, Context& context) const {
  const auto text = read_scalar(place, context, "a size such as 64KiB");
  if (!text) return std::nullopt;
  const auto value = parse_size(*text);
  if (!value) {
    refuse_value(place, context, "a size such as 64KiB",
                 parse_count(*text) ? fmt::format("add a unit: {}B", *text) : "");
    return std::nullopt;
  }
  if (!in_range(place, context, *value, min, max, show_size)) return std::nullopt;
  return value;
}

std::optional<milliseconds> Duration::read(const Place& place, Context& context) const {
  const auto text = read_scalar(place, context, "a duration such as 250ms, 5s or 10m");
  if (!text) return std::nullopt;
  const auto value = parse_duration(*text);
  if (!value) {
    refuse_value(place, context, "a duration such as 250ms, 5s or 10m",
                 parse_count(*text) ? fmt::format("add a unit: {}s or {}ms", *text, *text) : "");
    return std::nullopt;
  }
  if (!in_range(place, context, *value, min, max, show_duration)) return std::nullopt;
  return value;
}

std::string one_of(const std::vector<std::string_view>& options) {
  if (options.size() == 1) return fmt::format("'{}'", options.front());
  return fmt::format("one of {}", fmt::join(options, ", "));
}

}  // namespace segue::config
