#include "kafka/connect_answers.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace segue::kafka {
namespace {

namespace json = boost::json;

// Null for what is no JSON.
json::value parsed(std::string_view body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  return error ? json::value() : value;
}

// What is absent or of another type reads as null.
const json::value& member(const json::value& value, std::string_view name) {
  static const json::value none;
  if (!value.is_object()) return none;
  const json::value* const found = value.as_object().if_contains(name);
  return found == nullptr ? none : *found;
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : std::string{};
}

ConnectPart part_of(const json::value& value) {
  const json::value& id = member(value, "id");
  return {id.is_int64() ? id.as_int64() : -1, text_of(member(value, "state")),
          text_of(member(value, "worker_id")), text_of(member(value, "trace"))};
}

Connector connector_of(const json::value& value, std::string_view name) {
  const json::value& status = member(value, "status");
  Connector connector{std::string(name), text_of(member(status, "type")),
                      text_of(member(member(member(value, "info"), "config"), "connector.class")),
                      {part_of(member(status, "connector"))}};
  const json::value& tasks = member(status, "tasks");
  if (tasks.is_array())
    for (const json::value& task : tasks.as_array()) connector.parts.push_back(part_of(task));
  return connector;
}

}  // namespace

ConnectLook read_connect(std::string_view root, std::string_view connectors) {
  const json::value cluster = parsed(root);
  ConnectLook look{text_of(member(cluster, "version")),
                   text_of(member(cluster, "kafka_cluster_id")),
                   {},
                   {}};
  const json::value all = parsed(connectors);
  if (!all.is_object()) return look;
  for (const auto& [name, value] : all.as_object())
    look.connectors.push_back(connector_of(value, name));
  std::ranges::sort(look.connectors, {}, &Connector::name);
  for (const Connector& connector : look.connectors)
    for (const ConnectPart& part : connector.parts)
      if (!part.worker.empty()) look.workers.insert(part.worker);
  return look;
}

bool is_object(std::string_view body) { return parsed(body).is_object(); }

std::string connect_message(std::string_view body) {
  const json::value value = parsed(body);
  return text_of(member(value, "message"));
}

}  // namespace segue::kafka
