#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/place.hpp"
#include "config/suggestion.hpp"
#include "config/units.hpp"

// What a key's value may be. Each type has: read(), which reports and is empty when the value is
// wrong; type(), its name in docs/configuration.md; show(), how a value is written in YAML.
namespace segue::config {

// Any text but an empty one; numbers must be quoted. `expected` is used in messages.
struct Text {
  using Value = std::string;
  std::string_view expected = "text";
  std::optional<std::string> read(const Place& place, Context& context) const {
    return read_text(place, context, expected);
  }
  std::string type() const { return std::string(expected); }
  std::string show(const std::string& value) const { return value; }
};

// A header field's name (RFC 9110, 5.1).
struct HeaderName {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const;
  std::string type() const { return "header name"; }
  std::string show(const std::string& value) const { return value; }
};

// The name of a topic, by Kafka's rule.
struct Topic {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const;
  std::string type() const { return "topic"; }
  std::string show(const std::string& value) const { return value; }
};

// A file, relative to the folder of the configuration file.
struct File {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const;
  std::string type() const { return "path"; }
  std::string show(const std::filesystem::path& value) const { return value.string(); }
};

// `{ file: path }`: what must not stand in the configuration itself.
struct Secret {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const;
  std::string type() const { return "{ file: path }"; }
  std::string show(const std::string& value) const { return value; }
};

// A JSON path that can be compiled (recorder::JsonPath).
struct JsonPathText {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const;
  std::string type() const { return "JSON path"; }
  std::string show(const std::string& value) const { return value; }
};

struct Flag {
  using Value = bool;
  std::optional<bool> read(const Place& place, Context& context) const;
  std::string type() const { return "true or false"; }
  std::string show(bool value) const { return value ? "true" : "false"; }
};

struct Count {
  using Value = std::uint64_t;
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::optional<std::uint64_t> read(const Place& place, Context& context) const;
  std::string type() const { return fmt::format("{} to {}", min, max); }
  std::string show(std::uint64_t value) const { return fmt::format("{}", value); }
};

struct Size {
  using Value = std::uint64_t;
  std::uint64_t min = 0;  // bytes
  std::uint64_t max = 0;
  std::optional<std::uint64_t> read(const Place& place, Context& context) const;
  std::string type() const { return fmt::format("size, {} to {}", show_size(min), show_size(max)); }
  std::string show(std::uint64_t value) const { return show_size(value); }
};

struct Duration {
  using Value = milliseconds;
  milliseconds min{0};
  milliseconds max{0};
  std::optional<milliseconds> read(const Place& place, Context& context) const;
  std::string type() const {
    return fmt::format("duration, {} to {}", show_duration(min), show_duration(max));
  }
  std::string show(milliseconds value) const { return show_duration(value); }
};

// Another type, or the word `none`.
template <class Type>
struct OrNone {
  using Value = std::optional<typename Type::Value>;
  Type inner;
  std::optional<Value> read(const Place& place, Context& context) const {
    if (place.node.kind == yaml::Kind::scalar && place.node.text == "none") return Value{};
    const auto value = inner.read(place, context);
    if (!value) return std::nullopt;
    return Value{*value};
  }
  std::string type() const { return inner.type() + ", or none"; }
  std::string show(const Value& value) const { return value ? inner.show(*value) : "none"; }
};

// A value whose absence has a meaning of its own (the default text says which).
template <class Type>
struct Optional {
  using Value = std::optional<typename Type::Value>;
  Type inner;
  std::optional<Value> read(const Place& place, Context& context) const {
    const auto value = inner.read(place, context);
    if (!value) return std::nullopt;
    return Value{*value};
  }
  std::string type() const { return inner.type(); }
  std::string show(const Value& value) const { return value ? inner.show(*value) : ""; }
};

// A share in hundredths of a percent: 0 to 10,000.
struct Percent {
  using Value = std::uint16_t;
  std::optional<std::uint16_t> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "a percentage from 0 to 100, with two decimals at most";
    const auto text = read_scalar(place, context, kExpected);
    if (!text) return std::nullopt;
    const auto value = place.node.quoted ? std::nullopt : parse_percent(*text);
    if (!value)
      refuse_value(place, context, kExpected,
                   text->ends_with('%') ? "a plain number, without '%'" : "");
    return value;
  }
  std::string type() const { return "percent"; }
  std::string show(std::uint16_t value) const { return fmt::format("{:g}", value / 100.0); }
};

template <class E>
struct Option {
  std::string_view text;
  E value;
};

// "one of drop, refuse, block", or "'journal'" for a single one; the hint names the nearest.
std::string one_of(const std::vector<std::string_view>& options);

template <class E>
struct Choice {
  using Value = E;
  std::vector<Option<E>> options;
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> result;
    for (const auto& option : options) result.push_back(option.text);
    return result;
  }
  std::optional<E> read(const Place& place, Context& context) const {
    const auto text = read_scalar(place, context, one_of(names()));
    if (!text) return std::nullopt;
    for (const auto& option : options)
      if (option.text == *text) return option.value;
    refuse_value(place, context, one_of(names()), did_you_mean(*text, names()));
    return std::nullopt;
  }
  std::string type() const { return fmt::format("{}", fmt::join(names(), ", ")); }
  std::string show(const E& value) const {
    for (const auto& option : options)
      if (option.value == value) return std::string(option.text);
    return "";
  }
};

// A list of at most `max` values.
template <class Type>
struct List {
  using Value = std::vector<typename Type::Value>;
  Type inner;
  std::size_t max = 0;  // entries
  std::optional<Value> read(const Place& place, Context& context) const {
    if (!is_sequence(place, context, "a list")) return std::nullopt;
    if (place.node.items.size() > max) {
      context.report.add(
          codes::kOutOfRange, place.node.at,
          fmt::format("{} has {} entries, more than {}", place.name, place.node.items.size(), max));
      return std::nullopt;
    }
    Value values;
    for (std::size_t i = 0; i < place.node.items.size(); ++i)
      if (auto value = inner.read(place.item(i), context)) values.push_back(std::move(*value));
    return values;
  }
  std::string type() const { return fmt::format("list of {}", inner.type()); }
  std::string show(const Value& values) const {
    std::vector<std::string> texts;
    for (const auto& value : values) texts.push_back(inner.show(value));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
};

// One value, or a list of them.
template <class Type>
struct OneOrMore {
  using Value = std::vector<typename Type::Value>;
  List<Type> list;
  std::optional<Value> read(const Place& place, Context& context) const {
    if (place.node.kind != yaml::Kind::scalar) return list.read(place, context);
    auto value = list.inner.read(place, context);
    if (!value) return std::nullopt;
    return Value{std::move(*value)};
  }
  std::string type() const { return fmt::format("{}, or a list", list.inner.type()); }
  std::string show(const Value& values) const { return list.show(values); }
};

}  // namespace segue::config
