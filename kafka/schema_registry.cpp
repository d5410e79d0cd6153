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

RestSettings rest_settings(RegistrySettings settings, std::chrono::milliseconds patience) {
  RestSettings rest;
  rest.url = std::move(settings.url);
  rest.ca = std::move(settings.ca);
  rest.username = std::move(settings.username);
  rest.password_file = std::move(settings.password_file);
  rest.ca_named_by = "recorder.kafka.schema_registry.ca";
  rest.password_named_by = "recorder.kafka.schema_registry.password";
  rest.total_timeout = patience;
  rest.connect_timeout = std::min(rest.connect_timeout, patience);
  return rest;
}

std::string request_body(std::string_view schema) {
  return json::serialize(json::object{{"schemaType", "PROTOBUF"}, {"schema", schema}});
}

}  // namespace

std::string value_subject(std::string_view topic) { return fmt::format("{}-value", topic); }

SchemaRegistry::SchemaRegistry(RegistrySettings settings, std::chrono::milliseconds patience)
    : client_(rest_settings(std::move(settings), patience)) {}

RegistryAnswer SchemaRegistry::look_up(const std::string& subject, const std::string& schema) {
  const RestAnswer answer =
      client_.post(fmt::format("subjects/{}", subject), schema, kContentType);
  return read_id(client_.url(), answer);
}

RegistryAnswer SchemaRegistry::check(const std::string& subject, const std::string& schema) {
  const RestAnswer answer =
      client_.post(fmt::format("compatibility/subjects/{}/versions/latest?verbose=true", subject),
                   schema, kContentType);
  return read_verdict(client_.url(), subject, answer);
}

RegistryAnswer SchemaRegistry::register_schema(const std::string& subject,
                                               const std::string& schema) {
  const RestAnswer answer =
      client_.post(fmt::format("subjects/{}/versions", subject), schema, kContentType);
  RegistryAnswer result = read_id(client_.url(), answer);
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
  return read_by_id(client_.url(), schema_id, answer);
}

RegisteredSchema SchemaRegistry::latest(std::string_view subject) {
  const RestAnswer answer =
      client_.get(fmt::format("subjects/{}/versions/latest", escape_path_segment(subject)));
  return read_latest(client_.url(), answer);
}

}  // namespace segue::kafka
