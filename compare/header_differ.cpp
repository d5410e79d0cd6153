#include "compare/header_differ.hpp"

#include <algorithm>
#include <tuple>

#include "compare/comparer.hpp"
#include "compare/shape.hpp"
#include "exchange/head.hpp"
#include "recorder/redaction/lower_case.hpp"
#include "recorder/redaction/media_type.hpp"

namespace segue::compare {
namespace {

constexpr std::string_view kSetCookie = "set-cookie";
constexpr std::string_view kContentType = "content-type";

std::string_view trimmed(std::string_view text) noexcept {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool has_upper_case(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// The same type with the same parameters, in any order and spelling (RFC 9110, 8.3.1).
bool same_media_type(std::string_view a, std::string_view b) {
  const auto parts = [](std::string_view text) {
    const recorder::MediaType type = recorder::parse_media_type(text);
    const std::size_t end = std::min(text.find(';'), text.size());
    auto parameters = recorder::parse_parameters(text.substr(end));
    for (auto& parameter : parameters)
      if (parameter.name == "charset") parameter.value = recorder::lower_case(parameter.value);
    std::ranges::sort(parameters, {}, [](const auto& p) { return std::tie(p.name, p.value); });
    return std::pair(type.type, std::move(parameters));
  };
  const auto left = parts(a);
  const auto right = parts(b);
  return left.first == right.first &&
         std::ranges::equal(left.second, right.second, [](const auto& p, const auto& q) {
           return p.name == q.name && p.value == q.value;
         });
}

}  // namespace

const std::vector<std::string>& ignored_headers() {
  static const std::vector<std::string> names{
      // When and by whom it was answered.
      "age", "date", "server", "server-timing", "via", "x-response-time", "x-runtime",
      "x-served-by",
      // Ids of the request.
      "b3", "cf-ray", "correlation-id", "request-id", "traceparent", "tracestate", "x-amz-cf-id",
      "x-amz-request-id", "x-amzn-requestid", "x-amzn-trace-id", "x-b3-parentspanid",
      "x-b3-sampled", "x-b3-spanid", "x-b3-traceid", "x-cloud-trace-context", "x-correlation-id",
      "x-request-id", "x-trace-id",
      // What belongs to one hop, or to the form in which a body went over it.
      "connection", "content-encoding", "content-length", "keep-alive", "proxy-connection", "te",
      "trailer", "transfer-encoding", "upgrade"};
  return names;
}

HeaderDiffer::HeaderDiffer(const RouteRules& rules) : ignored_(ignored_headers()) {
  for (const std::string& name : rules.ignore_headers)
    ignored_.push_back(recorder::lower_case(name));
  std::ranges::sort(ignored_);
}

bool HeaderDiffer::is_ignored(std::string_view name) const {
  return std::binary_search(ignored_.begin(), ignored_.end(), name);
}

std::string_view HeaderDiffer::lowered(std::string_view name) {
  if (!has_upper_case(name)) return name;
  char* const room = texts_.take(name.size());
  std::ranges::transform(name, room, lower);
  return {room, name.size()};
}

// "sid; max-age"
std::string_view HeaderDiffer::attribute_of(std::string_view cookie, std::string_view attribute) {
  constexpr std::string_view kBetween = "; ";
  char* const room = texts_.take(cookie.size() + kBetween.size() + attribute.size());
  char* const end = std::ranges::copy(kBetween, std::ranges::copy(cookie, room).out).out;
  std::ranges::transform(attribute, end, lower);
  return {room, cookie.size() + kBetween.size() + attribute.size()};
}

// The cookie's value, and each of its attributes as a value of its own.
void HeaderDiffer::add_cookie(std::string_view cookie, Values& values) {
  const std::size_t end = std::min(cookie.find(';'), cookie.size());
  const std::string_view pair = cookie.substr(0, end);
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) {
    values.push_back({kSetCookie, trimmed(pair), {}, false, 0});
    return;
  }
  const std::string_view name = trimmed(pair.substr(0, equals));
  values.push_back({kSetCookie, trimmed(pair.substr(equals + 1)), name, false, 0});
  std::string_view attributes = cookie.substr(end);
  while (!attributes.empty()) {
    attributes.remove_prefix(1);
    const std::string_view attribute = attributes.substr(0, attributes.find(';'));
    attributes.remove_prefix(attribute.size());
    const std::size_t at = std::min(attribute.find('='), attribute.size());
    const std::string_view key = trimmed(attribute.substr(0, at));
    if (key.empty()) continue;
    const std::string_view value = at < attribute.size() ? attribute.substr(at + 1) : attribute;
    values.push_back({kSetCookie, trimmed(value), attribute_of(name, key), false, 0});
  }
}

void HeaderDiffer::add_field(const v1::Field& field, bool is_trailer, Values& values) {
  const std::string_view name = lowered(field.name());
  if (is_ignored(name)) return;
  if (name == kSetCookie && !is_trailer) return add_cookie(field.value(), values);
  values.push_back({name, field.value(), {}, is_trailer, 0});
}

void HeaderDiffer::gather(const v1::Response& response, Values& values) {
  values.clear();
  for (const v1::Field& field : response.fields()) add_field(field, false, values);
  for (const v1::Field& field : response.trailers()) add_field(field, true, values);
  std::uint32_t at = 0;
  for (Value& value : values) value.at = at++;
  std::ranges::sort(values, {}, [](const Value& value) {
    return std::tie(value.is_trailer, value.name, value.suffix, value.at);
  });
}

std::string_view HeaderDiffer::joined(const Value* values, std::size_t count, std::string& room) {
  if (count == 0) return {};
  if (count == 1) return values->text;
  room.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) room += ", ";
    room += values[i].text;
  }
  return room;
}

void HeaderDiffer::compare_group(const Value* left, std::size_t left_count, const Value* right,
                                 std::size_t right_count, DifferenceList& list) {
  const std::string_view l = joined(left, left_count, left_text_);
  const std::string_view r = joined(right, right_count, right_text_);
  const Value& value = left_count > 0 ? *left : *right;
  const bool both = left_count > 0 && right_count > 0;
  const auto any_covered = [](const HiddenValues& hidden, const Value* values, std::size_t count) {
    return hidden.any() && std::any_of(values, values + count,
                                       [&](const Value& each) { return hidden.covers(each.text); });
  };
  const bool is_hidden = both && (any_covered(left_hidden_, left, left_count) ||
                                  any_covered(right_hidden_, right, right_count));
  if (both && l == r && !is_hidden) return;
  if (both && !is_hidden && value.name == kContentType && same_media_type(l, r)) return;
  path_ = value.is_trailer ? "trailer: " : "";
  path_ += value.name;
  if (!value.suffix.empty()) {
    path_ += ": ";
    path_ += value.suffix;
  }
  if (is_hidden) return list.hide(path_);
  DifferenceKind kind = same_shape(l, r) ? DifferenceKind::value : DifferenceKind::pattern;
  if (!both) kind = left_count > 0 ? DifferenceKind::missing : DifferenceKind::extra;
  list.add(Part::header, path_, path_, kind, l, r);
}

void HeaderDiffer::compare(const v1::Exchange& left, const v1::Exchange& right,
                           DifferenceList& list) {
  left_hidden_ = HiddenValues::in_fields(left);
  right_hidden_ = HiddenValues::in_fields(right);
  texts_.clear();
  gather(left.response(), left_);
  gather(right.response(), right_);
  const auto key = [](const Value& value) {
    return std::tie(value.is_trailer, value.name, value.suffix);
  };
  std::size_t l = 0;
  std::size_t r = 0;
  while (l < left_.size() || r < right_.size()) {
    const bool has_left =
        l < left_.size() && (r == right_.size() || key(left_[l]) <= key(right_[r]));
    const Value& first = has_left ? left_[l] : right_[r];
    std::size_t l_end = l;
    std::size_t r_end = r;
    while (l_end < left_.size() && key(left_[l_end]) == key(first)) ++l_end;
    while (r_end < right_.size() && key(right_[r_end]) == key(first)) ++r_end;
    compare_group(left_.data() + l, l_end - l, right_.data() + r, r_end - r, list);
    l = l_end;
    r = r_end;
  }
}

}  // namespace segue::compare
