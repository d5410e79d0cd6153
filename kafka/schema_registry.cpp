#include "kafka/schema_registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

namespace segue::kafka {
namespace {

namespace json = boost::json;
using Kind = RegistryAnswer::Kind;

constexpr const char* kContentType = "application/vnd.schemaregistry.v1+json";
constexpr std::size_t kLongestDetail = 400;

RestSettings rest_settings(RegistrySettings settings, std::chrono::milliseconds patience) {
  RestSettings rest;
  rest.url = std::move(settings.url);
  rest.ca = std::move(settings.ca);
  rest.username = std::move(settings.username);
  rest.password_file = std::move(settings.password_file);
  rest.total_timeout = patience;
  rest.connect_timeout = std::min(rest.connect_timeout, patience);
  return rest;
}

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

// What an answer means, without looking at what a good one holds.
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

// A good answer that lacks what it should hold comes from something else at that address.
RegistryAnswer with_id(const std::string& url, const RestAnswer& answer) {
  RegistryAnswer result = judge(url, answer);
  if (result.kind != Kind::ok) return result;
  result.schema_id = number_member(object_of(answer.body), "id");
  if (result.schema_id <= 0)
    return {Kind::refused, 0,
            fmt::format("schema registry {}: no schema id in its answer: is the URL right?", url)};
  return result;
}

std::string request_body(std::string_view schema) {
  return json::serialize(json::object{{"schemaType", "PROTOBUF"}, {"schema", schema}});
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

}  // namespace

std::string value_subject(std::string_view topic) { return fmt::format("{}-value", topic); }

SchemaRegistry::SchemaRegistry(RegistrySettings settings, std::chrono::milliseconds patience)
    : client_(rest_settings(std::move(settings), patience)) {}

RegistryAnswer SchemaRegistry::look_up(const std::string& subject, const std::string& schema) {
  return with_id(client_.url(),
                 client_.post(fmt::format("subjects/{}", subject), schema, kContentType));
}

RegistryAnswer SchemaRegistry::check(const std::string& subject, const std::string& schema) {
  const RestAnswer answer =
      client_.post(fmt::format("compatibility/subjects/{}/versions/latest?verbose=true", subject),
                   schema, kContentType);
  RegistryAnswer result = judge(client_.url(), answer);
  if (result.kind == Kind::absent) return {};  // there is no earlier version
  if (result.kind != Kind::ok) return result;
  const json::object verdict = object_of(answer.body);
  const json::value* const compatible = verdict.if_contains("is_compatible");
  if (compatible == nullptr || !compatible->is_bool())
    return {Kind::refused, 0,
            fmt::format("schema registry {}: no verdict in its answer: is the URL right?",
                        client_.url())};
  if (compatible->as_bool()) return {};
  const std::string why = joined_messages(verdict);
  return {Kind::incompatible, 0,
          fmt::format("schema registry {}: the schema is not compatible with the latest version "
                      "of {}{}{}",
                      client_.url(), subject, why.empty() ? "" : ": ", why)};
}

RegistryAnswer SchemaRegistry::register_schema(const std::string& subject,
                                               const std::string& schema) {
  RegistryAnswer result =
      with_id(client_.url(),
              client_.post(fmt::format("subjects/{}/versions", subject), schema, kContentType));
  if (result.kind == Kind::absent) {  // an API that cannot register is not this API
    result.kind = Kind::refused;
    result.detail += "; is the URL right?";
  }
  return result;
}

RegistryAnswer SchemaRegistry::ensure(std::string_view subject, std::string_view protobuf_schema) {
  const std::string name = escape_path_segment(subject);
  const std::string schema = request_body(protobuf_schema);
  RegistryAnswer answer = look_up(name, schema);
  // Some registries call a schema that they do not have unprocessable instead of absent.
  if (answer.kind != Kind::absent && answer.kind != Kind::incompatible) return answer;
  answer = check(name, schema);
  return answer.kind == Kind::ok ? register_schema(name, schema) : answer;
}

RegisteredSchema SchemaRegistry::by_id(int schema_id) {
  const RestAnswer answer = client_.get(fmt::format("schemas/ids/{}", schema_id));
  RegisteredSchema found{judge(client_.url(), answer), {}, {}};
  if (found.answer.kind != Kind::ok) return found;
  const json::object object = object_of(answer.body);
  found.answer.schema_id = schema_id;
  found.type = text_member(object, "schemaType");
  if (found.type.empty()) found.type = "AVRO";  // what the API leaves out
  found.text = text_member(object, "schema");
  return found;
}

RegisteredSchema SchemaRegistry::latest(std::string_view subject) {
  const RestAnswer answer =
      client_.get(fmt::format("subjects/{}/versions/latest", escape_path_segment(subject)));
  RegisteredSchema found{with_id(client_.url(), answer), {}, {}};
  if (found.answer.kind != Kind::ok) return found;
  const json::object object = object_of(answer.body);
  found.type = text_member(object, "schemaType");
  if (found.type.empty()) found.type = "AVRO";
  found.text = text_member(object, "schema");
  found.version = number_member(object, "version");
  return found;
}

}  // namespace segue::kafka
