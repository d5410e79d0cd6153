#include "warehouse/sql/exchange_columns.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "recorder/utf8.hpp"

namespace segue::warehouse {
namespace {

using Row = ExchangeRow;
using Text = std::optional<std::string_view>;
using Number = std::optional<std::int64_t>;

Text unless_empty(std::string_view text) {
  return text.empty() ? Text{} : Text{text};
}

Text name_of(const std::string& enumerator, std::string_view prefix) {
  return std::string_view(enumerator).substr(prefix.size());
}

Text capture_of(const v1::Body& body) {
  return name_of(v1::Capture_Name(body.capture()), "CAPTURE_");
}

Number size_of(const v1::Body& body) {
  return static_cast<std::int64_t>(body.size());
}

Text last_error(Row& row) {
  const auto& attempts = row.exchange().attempts();
  return attempts.empty() ? Text{} : unless_empty(attempts.rbegin()->error());
}

#define SEGUE_NUMBER_IF(there, value) \
  (there) ? Number(static_cast<std::int64_t>(value)) : Number {}

constexpr ExchangeColumn kColumns[] = {
    {"id", ExchangeColumn::Text([](Row& r) { return r.id(); }), "UUIDv7"},
    {"created_at", ExchangeColumn::Time{[](Row& r) { return Number(r.exchange().created_at()); }},
     "when the head of the request was complete, UTC"},
    {"kind",
     ExchangeColumn::Text([](Row& r) { return name_of(v1::Kind_Name(r.exchange().kind()), "KIND_"); }),
     "PRIMARY, SHADOW, CONTROL, ..."},
    {"parent_id", ExchangeColumn::Text([](Row& r) { return r.parent_id(); }),
     "of a shadow or control: its primary"},
    {"outcome", ExchangeColumn::Text([](Row& r) {
       return name_of(v1::Outcome_Name(r.exchange().outcome()), "OUTCOME_");
     }),
     "COMPLETED, CLIENT_ABORTED, UPSTREAM_TIMEOUT, REFUSED, ..."},
    {"refusal", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().refusal()); }),
     "why the gateway refused it"},
    {"route", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().route()); }),
     ""},
    {"path_template", ExchangeColumn::Text([](Row& r) {
       return unless_empty(r.exchange().decision().path_template());
     }),
     "of the route: `/searches/{id}`"},
    {"method", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().request().method()); }),
     ""},
    {"scheme", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().request().scheme()); }),
     ""},
    {"authority", ExchangeColumn::Text([](Row& r) {
       return unless_empty(r.exchange().request().authority());
     }),
     "host and port, as the client said them"},
    {"target", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().request().target()); }),
     "path and query, as they came"},
    {"path", ExchangeColumn::Text([](Row& r) { return unless_empty(r.path()); }),
     "`target` up to the query"},
    {"status", ExchangeColumn::Number([](Row& r) {
       const auto status = r.exchange().response().status();
       return SEGUE_NUMBER_IF(status != 0, status);
     }),
     "NULL: there was no answer"},
    {"account_id", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().account_id()); }),
     "plain, or `h:` and a keyed hash"},
    {"backend", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().backend()); }),
     ""},
    {"role", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().role()); }),
     "legacy, new, or the backend's name"},
    {"endpoint", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().endpoint()); }),
     "host and port that served"},
    {"bucket", ExchangeColumn::Number([](Row& r) {
       const v1::Decision& decision = r.exchange().decision();
       return SEGUE_NUMBER_IF(decision.has_bucket(), decision.bucket());
     }),
     "sticky bucket, 0 to 9999"},
    {"shadow", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().shadow()); }),
     "what became of the shadow: sent, or why not"},
    {"latency_us", ExchangeColumn::Number([](Row& r) {
       const v1::Timing& timing = r.exchange().timing();
       return SEGUE_NUMBER_IF(timing.has_last_byte(), timing.last_byte());
     }),
     "to the last byte of the answer, microseconds"},
    {"first_byte_us", ExchangeColumn::Number([](Row& r) {
       const v1::Timing& timing = r.exchange().timing();
       return SEGUE_NUMBER_IF(timing.has_first_byte(), timing.first_byte());
     }),
     "to the head of the answer, microseconds"},
    {"attempts", ExchangeColumn::Number([](Row& r) { return Number(r.exchange().attempts_size()); }),
     "tries that are on record; 0: the first one answered"},
    {"error", ExchangeColumn::Text(last_error), "of the last try, where it failed"},
    {"request_headers", ExchangeColumn::Fields([](Row& r) -> const Headers& {
       return r.exchange().request().fields();
     }),
     "by lower-case name: `request_headers['accept'][1]`"},
    {"request_body", ExchangeColumn::Text([](Row& r) { return r.request_body().text; }),
     "content codings undone; where it is text"},
    {"request_body_bytes",
     ExchangeColumn::Blob{[](Row& r) { return r.request_body().bytes; }},
     "where it is not"},
    {"request_size", ExchangeColumn::Number([](Row& r) { return size_of(r.exchange().request().body()); }),
     "bytes of the body as sent, on record or not"},
    {"request_capture", ExchangeColumn::Text([](Row& r) { return capture_of(r.exchange().request().body()); }),
     "ABSENT, COMPLETE, TRUNCATED or SKIPPED"},
    {"response_headers", ExchangeColumn::Fields([](Row& r) -> const Headers& {
       return r.exchange().response().fields();
     }),
     ""},
    {"response_body", ExchangeColumn::Text([](Row& r) { return r.response_body().text; }), ""},
    {"response_body_bytes",
     ExchangeColumn::Blob{[](Row& r) { return r.response_body().bytes; }}, ""},
    {"response_size", ExchangeColumn::Number([](Row& r) { return size_of(r.exchange().response().body()); }),
     ""},
    {"response_capture", ExchangeColumn::Text([](Row& r) { return capture_of(r.exchange().response().body()); }),
     ""},
    {"client_address", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().client().address()); }),
     ""},
    {"trace_id", ExchangeColumn::Text([](Row& r) { return r.trace_id(); }), "of `traceparent`"},
    {"service", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().provenance().service()); }),
     ""},
    {"instance", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().provenance().instance()); }),
     ""},
    {"config_version", ExchangeColumn::Text([](Row& r) {
       return unless_empty(r.exchange().provenance().config_version());
     }),
     "of the routing that decided"},
};
#undef SEGUE_NUMBER_IF

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string repaired(std::string_view octets) {
  std::string text;
  while (!octets.empty()) {
    const std::size_t length = recorder::utf8_sequence(octets);
    text += length == 0 ? kReplacement : octets.substr(0, length);
    octets.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

void write_text(duckdb_vector into, idx_t at, std::string_view text) {
  if (recorder::is_utf8(text))
    return duckdb_vector_assign_string_element_len(into, at, text.data(), text.size());
  const std::string valid = repaired(text);
  duckdb_vector_assign_string_element_len(into, at, valid.data(), valid.size());
}

void write_null(duckdb_vector into, idx_t at) {
  duckdb_vector_ensure_validity_writable(into);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(into), at);
}

std::string lower_case(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// Room for `more` entries behind those of a list vector; where they begin.
idx_t grow(duckdb_vector list, idx_t more) {
  const idx_t size = duckdb_list_vector_get_size(list);
  duckdb_list_vector_reserve(list, size + more);
  duckdb_list_vector_set_size(list, size + more);
  return size;
}

void set_entry(duckdb_vector list, idx_t at, idx_t offset, idx_t length) {
  static_cast<duckdb_list_entry*>(duckdb_vector_get_data(list))[at] = {offset, length};
}

// A map is a list of structs of key and value; here each value is a list of texts.
void write_headers(duckdb_vector map, idx_t at, const Headers& fields) {
  std::map<std::string, std::vector<std::string_view>> by_name;
  for (const v1::Field& field : fields) by_name[lower_case(field.name())].push_back(field.value());
  idx_t entry = grow(map, by_name.size());
  set_entry(map, at, entry, by_name.size());
  const duckdb_vector entries = duckdb_list_vector_get_child(map);
  const duckdb_vector names = duckdb_struct_vector_get_child(entries, 0);
  const duckdb_vector values = duckdb_struct_vector_get_child(entries, 1);
  for (const auto& [name, texts] : by_name) {
    write_text(names, entry, name);
    idx_t place = grow(values, texts.size());
    set_entry(values, entry, place, texts.size());
    const duckdb_vector all = duckdb_list_vector_get_child(values);
    for (const std::string_view text : texts) write_text(all, place++, text);
    ++entry;
  }
}

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

duckdb_logical_type headers_type() {
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type texts = duckdb_create_list_type(text);
  const duckdb_logical_type map = duckdb_create_map_type(text, texts);
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_logical_type(&texts);
  return map;
}

}  // namespace

std::string_view ExchangeColumn::sql_type() const {
  return std::visit(Overloaded{[](Text) { return "VARCHAR"; }, [](Blob) { return "BLOB"; },
                               [](Number) { return "BIGINT"; }, [](Time) { return "TIMESTAMP"; },
                               [](Fields) { return "MAP(VARCHAR, VARCHAR[])"; }},
                    value);
}

duckdb_logical_type ExchangeColumn::logical_type() const {
  return std::visit(
      Overloaded{[](Text) { return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR); },
                 [](Blob) { return duckdb_create_logical_type(DUCKDB_TYPE_BLOB); },
                 [](Number) { return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT); },
                 [](Time) { return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP); },
                 [](Fields) { return headers_type(); }},
      value);
}

void ExchangeColumn::write(ExchangeRow& row, duckdb_vector into, idx_t at) const {
  const auto number = [&](std::optional<std::int64_t> found) {
    if (!found) return write_null(into, at);
    static_cast<std::int64_t*>(duckdb_vector_get_data(into))[at] = *found;
  };
  std::visit(Overloaded{[&](Text of) {
                          const auto text = of(row);
                          if (text) return write_text(into, at, *text);
                          write_null(into, at);
                        },
                        [&](Blob blob) {
                          const auto octets = blob.of(row);
                          if (!octets) return write_null(into, at);
                          duckdb_vector_assign_string_element_len(into, at, octets->data(),
                                                                  octets->size());
                        },
                        [&](Number of) { number(of(row)); },
                        [&](Time time) { number(time.of(row)); },
                        [&](Fields of) { write_headers(into, at, of(row)); }},
             value);
}

std::span<const ExchangeColumn> exchange_columns() { return kColumns; }

}  // namespace segue::warehouse
