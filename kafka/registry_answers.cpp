#include "kafka/registry_answers.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

namespace segue::kafka {
namespace {

namespace json = boost::json;
using Kind = RegistryAnswer::Kind;

constexpr std::size_t kLongestDetail = 400;

// One line of what a peer wrote: no control characters, and not a page of it.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kLongestDetail))
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  if (text.size() > kLongestDetail) line += "...";
  return line;
}

// An empty object for what is no JSON object: its members are then absent.
json::object object_of(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object{};
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string{};
}

int number_member(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  boost::system::error_code error;
  const int number = value != nullptr && value->is_number() ? value->to_number<int>(error) : 0;
  return error ? 0 : number;
}

// The registry's own message, else the start of what it sent.
std::string message_of(const RestAnswer& answer) {
  const std::string message = text_member(object_of(answer.body), "message");
  return one_line(message.empty() ? answer.body : message);
}

Kind kind_of(long status) {
  if (status >= 200 && status < 300) return Kind::ok;
  if (status == 409 || status == 422) return Kind::incompatible;
  if (status == 404) return Kind::absent;
  if (status >= 500 || status == 408 || status == 429) return Kind::unreachable;
  return Kind::refused;
}

std::string joined_messages(const json::object& verdict) {
  const json::value* const messages = verdict.if_contains("messages");
  std::string text;
  if (messages == nullptr || !messages->is_array()) return text;
  for (const json::value& message : messages->as_array())
    if (message.is_string())
      text += fmt::format("{}{}", text.empty() ? "" : "; ", std::string_view(message.as_string()));
  return one_line(text);
}

// What an object of a schema says of it.
void read_schema(const RestAnswer& answer, RegisteredSchema& found) {
  const json::object object = object_of(answer.body);
  found.type = text_member(object, "schemaType");
  if (found.type.empty()) found.type = "AVRO";  // what the API leaves out
  found.text = text_member(object, "schema");
  found.version = number_member(object, "version");
}

}  // namespace

RegistryAnswer judge(const std::string& url, const RestAnswer& answer) {
  if (answer.status == 0)
    return {Kind::unreachable, 0, fmt::format("schema registry {}: {}", url, answer.failure)};
  const Kind kind = kind_of(answer.status);
  if (kind == Kind::ok) return {};
  std::string detail = fmt::format("schema registry {}: {} {}", url, answer.status,
                                   message_of(answer));
  if (answer.status == 401 || answer.status == 403)
    detail += "; check the user name and the password file";
  return {kind, 0, std::move(detail)};
}

RegistryAnswer read_id(const std::string& url, const RestAnswer& answer) {
  RegistryAnswer result = judge(url, answer);
  if (result.kind != Kind::ok) return result;
  result.schema_id = number_member(object_of(answer.body), "id");
  if (result.schema_id <= 0)
    return {Kind::refused, 0,
            fmt::format("schema registry {}: no schema id in its answer: is the URL right?", url)};
  return result;
}

RegistryAnswer read_verdict(const std::string& url, std::string_view subject,
                            const RestAnswer& answer) {
  RegistryAnswer result = judge(url, answer);
  if (result.kind == Kind::absent) return {};  // there is no earlier version
  if (result.kind != Kind::ok) return result;
  const json::object verdict = object_of(answer.body);
  const json::value* const compatible = verdict.if_contains("is_compatible");
  if (compatible == nullptr || !compatible->is_bool())
    return {Kind::refused, 0,
            fmt::format("schema registry {}: no verdict in its answer: is the URL right?", url)};
  if (compatible->as_bool()) return {};
  const std::string why = joined_messages(verdict);
  return {Kind::incompatible, 0,
          fmt::format("schema registry {}: the schema is not compatible with the latest version "
                      "of {}{}{}",
                      url, subject, why.empty() ? "" : ": ", why)};
}

RegisteredSchema read_by_id(const std::string& url, int schema_id, const RestAnswer& answer) {
  RegisteredSchema found{judge(url, answer), {}, {}};
  if (found.answer.kind != Kind::ok) return found;
  found.answer.schema_id = schema_id;
  read_schema(answer, found);
  found.version = 0;
  return found;
}

RegisteredSchema read_latest(const std::string& url, const RestAnswer& answer) {
  RegisteredSchema found{read_id(url, answer), {}, {}};
  if (found.answer.kind == Kind::ok) read_schema(answer, found);
  return found;
}

}  // namespace segue::kafka
