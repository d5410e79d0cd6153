#include "config/place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "config/suggestion.hpp"

namespace segue::config {
namespace {

using yaml::CoreType;
using yaml::Kind;

constexpr std::size_t kMaxName = 64;  // characters

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

std::string_view or_file(std::string_view name) {
  return name.empty() ? "the file" : name;
}

}  // namespace

Place Place::child(const yaml::Entry& entry) const {
  return {entry.value, name.empty() ? entry.key : fmt::format("{}.{}", name, entry.key),
          entry.key_at};
}

Place Place::item(std::size_t index) const {
  const yaml::Node& value = node.items[index];
  return {value, fmt::format("{}[{}]", name, index), value.at};
}

std::string what_is(const yaml::Node& node) {
  switch (node.kind) {
    case Kind::null:
      return "empty";
    case Kind::sequence:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::broken:
      return "broken";
    case Kind::scalar:
      break;
  }
  switch (yaml::core_type(node)) {
    case CoreType::boolean:
      return node.text;
    case CoreType::integer:
    case CoreType::real:
      return fmt::format("the number {}", node.text);
    case CoreType::text:
      break;
  }
  return fmt::format("'{}'", node.text);
}

void refuse_type(const Place& place, Context& context, std::string_view expected) {
  if (place.node.kind == Kind::broken) return;
  context.report.add(
      codes::kWrongType, place.node.at,
      fmt::format("{} must be {}, not {}", or_file(place.name), expected, what_is(place.node)));
}

void refuse_value(const Place& place, Context& context, std::string_view expected,
                  std::string hint) {
  context.report.add(
      codes::kBadValue, place.node.at,
      fmt::format("{} must be {}, not {}", place.name, expected, what_is(place.node)),
      std::move(hint));
}

void refuse_unknown_key(const Place& place, const yaml::Entry& entry, Context& context,
                        const std::vector<std::string_view>& known) {
  const std::string where = place.name.empty() ? "" : fmt::format(" in {}", place.name);
  context.report.add(codes::kUnknownKey, entry.key_at,
                     fmt::format("unknown key '{}'{}", entry.key, where),
                     did_you_mean(entry.key, known));
}

std::optional<std::string> read_scalar(const Place& place, Context& context,
                                       std::string_view expected) {
  if (place.node.kind == Kind::scalar) return place.node.text;
  refuse_type(place, context, expected);
  return std::nullopt;
}

namespace {

std::optional<std::string> read_unexpanded(const Place& place, Context& context,
                                           std::string_view expected) {
  if (place.node.kind == Kind::scalar && yaml::core_type(place.node) != CoreType::text) {
    context.report.add(
        codes::kWrongType, place.node.at,
        fmt::format("{} must be {}, not {}", place.name, expected, what_is(place.node)),
        fmt::format("quote it: \"{}\"", place.node.text));
    return std::nullopt;
  }
  auto text = read_scalar(place, context, expected);
  if (text && text->empty()) {
    refuse_value(place, context, expected);
    return std::nullopt;
  }
  return text;
}

}  // namespace

std::optional<std::string> read_text(const Place& place, Context& context,
                                     std::string_view expected) {
  auto text = read_unexpanded(place, context, expected);
  if (text && text->find("${") != std::string::npos) {
    context.report.add(codes::kEnvironment, place.node.at,
                       fmt::format("${{...}} is not replaced in {}", place.name),
                       "the environment is read in addresses only");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> read_address_text(const Place& place, Context& context,
                                             std::string_view expected) {
  const auto text = read_unexpanded(place, context, expected);
  if (!text) return std::nullopt;
  std::string result;
  std::string_view rest = *text;
  for (auto start = rest.find("${"); start != std::string_view::npos; start = rest.find("${")) {
    const auto end = rest.find('}', start);
    if (end == std::string_view::npos) {
      context.report.add(codes::kEnvironment, place.node.at,
                         fmt::format("a '${{' without '}}' in {}", place.name));
      return std::nullopt;
    }
    const std::string name(rest.substr(start + 2, end - start - 2));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      context.report.add(codes::kEnvironment, place.node.at,
                         fmt::format("the environment variable '{}' is not set", name));
      return std::nullopt;
    }
    result.append(rest.substr(0, start)).append(value);
    rest.remove_prefix(end + 1);
  }
  return result.append(rest);
}

bool is_map(const Place& place, Context& context) {
  if (place.node.kind == Kind::map) return true;
  refuse_type(place, context, "a map");
  return false;
}

bool is_sequence(const Place& place, Context& context, std::string_view expected) {
  if (place.node.kind == Kind::sequence) return true;
  refuse_type(place, context, expected);
  return false;
}

bool check_name(const yaml::Entry& entry, std::string_view of, Context& context) {
  if (!entry.key.empty() && entry.key.size() <= kMaxName &&
      std::all_of(entry.key.begin(), entry.key.end(), is_name_character))
    return true;
  context.report.add(codes::kBadName, entry.key_at,
                     fmt::format("'{}' cannot be the name of a {}", entry.key, of),
                     fmt::format("letters, digits, '-' and '_', at most {}", kMaxName));
  return false;
}

}  // namespace segue::config
