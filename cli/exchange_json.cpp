#include "cli/exchange_json.hpp"

#include "cli/exchange_text.hpp"
#include "cli/json_writer.hpp"

namespace segue::cli {
namespace {

constexpr std::int64_t kFormatVersion = 1;

void write_fields(JsonWriter& json, std::string_view name, const auto& fields) {
  json.key(name);
  json.begin_array();
  for (const auto& field : fields) {
    json.begin_object();
    json.octets("name", field.name());
    json.octets("value", field.value());
    json.end_object();
  }
  json.end_array();
}

void write_body(JsonWriter& json, const v1::Body& body) {
  json.key("body");
  json.begin_object();
  json.member("capture", capture_name(body.capture()));
  json.member("size", body.size());
  if (!body.reason().empty()) json.member("reason", body.reason());
  if (body.coding_undone()) {
    json.key("coding_undone");
    json.boolean(true);
  }
  if (!body.sha256().empty()) json.member("sha256", hex(body.sha256()));
  if (body.capture() == v1::CAPTURE_COMPLETE || body.capture() == v1::CAPTURE_TRUNCATED) {
    if (is_readable(body)) {
      json.member("text", body.content());
    } else {
      json.key("base64");
      json.base64(body.content());
    }
  }
  json.end_object();
}

void write_request(JsonWriter& json, const v1::Request& request) {
  json.key("request");
  json.begin_object();
  json.member("method", request.method());
  json.member("scheme", request.scheme());
  json.octets("authority", request.authority());
  json.octets("target", request.target());
  json.member("version", request.version());
  write_fields(json, "headers", request.fields());
  if (request.trailers_size() > 0) write_fields(json, "trailers", request.trailers());
  write_body(json, request.body());
  json.end_object();
}

void write_response(JsonWriter& json, const v1::Exchange& exchange) {
  json.key("response");
  if (!exchange.has_response()) return json.null();
  const v1::Response& response = exchange.response();
  json.begin_object();
  json.member("status", std::uint64_t{response.status()});
  json.member("version", response.version());
  if (response.interim_size() > 0) {
    json.key("interim");
    json.begin_array();
    for (const std::uint32_t status : response.interim()) json.number(std::uint64_t{status});
    json.end_array();
  }
  write_fields(json, "headers", response.fields());
  if (response.trailers_size() > 0) write_fields(json, "trailers", response.trailers());
  write_body(json, response.body());
  json.end_object();
}

void write_timing(JsonWriter& json, const v1::Timing& timing) {
  json.key("timing_us");
  json.begin_object();
  if (timing.has_connect()) json.member("connect", timing.connect());
  if (timing.has_tls()) json.member("tls", timing.tls());
  if (timing.has_request_sent()) json.member("request_sent", timing.request_sent());
  if (timing.has_first_byte()) json.member("first_byte", timing.first_byte());
  if (timing.has_last_byte()) json.member("last_byte", timing.last_byte());
  json.end_object();
}

void write_decision(JsonWriter& json, const v1::Decision& decision) {
  json.key("decision");
  json.begin_object();
  if (decision.has_bucket()) json.member("bucket", std::uint64_t{decision.bucket()});
  if (decision.parameters_size() > 0) write_fields(json, "parameters", decision.parameters());
  if (decision.inputs_size() > 0) write_fields(json, "inputs", decision.inputs());
  if (!decision.fallback_from().empty())
    json.member("fallback_from", decision.fallback_from());
  if (!decision.shadow().empty()) json.member("shadow", decision.shadow());
  json.end_object();
}

void write_redactions(JsonWriter& json, const v1::Exchange& exchange) {
  json.key("redacted");
  json.begin_array();
  for (const v1::Redaction& redaction : exchange.redactions()) {
    json.begin_object();
    json.member("rule", redaction.rule());
    json.member("part", redaction_part_name(redaction.part()));
    json.member("mode", redaction_mode_name(redaction.mode()));
    json.member("count", std::uint64_t{redaction.count()});
    json.end_object();
  }
  json.end_array();
}

void write_client(JsonWriter& json, const v1::Client& client) {
  json.key("client");
  json.begin_object();
  json.member("address", client.address());
  if (!client.forwarded_for().empty()) json.member("forwarded_for", client.forwarded_for());
  if (!client.tls_version().empty()) json.member("tls_version", client.tls_version());
  if (!client.server_name().empty()) json.member("server_name", client.server_name());
  if (!client.alpn().empty()) json.member("alpn", client.alpn());
  json.end_object();
}

void write_provenance(JsonWriter& json, const v1::Provenance& provenance) {
  json.key("provenance");
  json.begin_object();
  json.member("service", provenance.service());
  json.member("instance", provenance.instance());
  json.member("version", provenance.version());
  json.member("config_version", provenance.config_version());
  if (!provenance.config_revision().empty())
    json.member("config_revision", provenance.config_revision());
  if (!provenance.active_override().empty())
    json.member("active_override", provenance.active_override());
  if (!provenance.replayed_by().empty()) json.member("replayed_by", provenance.replayed_by());
  if (!provenance.replay_reason().empty()) json.member("replay_reason", provenance.replay_reason());
  json.end_object();
}

void write_attempts(JsonWriter& json, const v1::Exchange& exchange) {
  json.key("attempts");
  json.begin_array();
  for (const v1::Attempt& attempt : exchange.attempts()) {
    json.begin_object();
    json.member("endpoint", attempt.endpoint());
    json.member("error", attempt.error());
    json.member("at_us", attempt.at());
    json.end_object();
  }
  json.end_array();
}

void write_identity(JsonWriter& json, const v1::Exchange& exchange) {
  json.member("format_version", kFormatVersion);
  json.member("id", id_text(exchange.id()));
  json.member("kind", kind_name(exchange.kind()));
  json.key("parent_id");
  if (exchange.parent_id().empty())
    json.null();
  else
    json.text(id_text(exchange.parent_id()));
  json.member("created_at", time_text(exchange.created_at()));
  json.member("outcome", outcome_name(exchange.outcome()));
  if (!exchange.refusal().empty()) json.member("refusal", exchange.refusal());
}

void write_finish(JsonWriter& json, const v1::Finish& finish) {
  json.key("finish");
  json.begin_object();
  json.member("bytes_from_client", finish.bytes_from_client());
  json.member("bytes_to_client", finish.bytes_to_client());
  json.end_object();
}

}  // namespace

std::string exchange_json(const v1::Exchange& exchange) {
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  write_identity(json, exchange);
  if (exchange.kind() == v1::KIND_FINISH) {
    write_finish(json, exchange.finish());
    write_provenance(json, exchange.provenance());
    json.end_object();
    return line;
  }
  json.octets("account_id", exchange.account_id());
  json.member("route", exchange.decision().route());
  json.member("path_template", exchange.decision().path_template());
  json.member("backend", exchange.decision().backend());
  json.member("role", exchange.decision().role());
  json.member("endpoint", exchange.decision().endpoint());
  write_request(json, exchange.request());
  write_response(json, exchange);
  write_timing(json, exchange.timing());
  write_decision(json, exchange.decision());
  json.member("trace_id", hex(exchange.trace().trace_id()));
  write_redactions(json, exchange);
  write_client(json, exchange.client());
  write_provenance(json, exchange.provenance());
  write_attempts(json, exchange);
  if (exchange.has_finish()) write_finish(json, exchange.finish());
  json.end_object();
  return line;
}

}  // namespace segue::cli
