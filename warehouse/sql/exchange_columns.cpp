#include "warehouse/sql/exchange_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "recorder/utf8.hpp"
#include "warehouse/archive/claim.hpp"

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
    {1, "id", ExchangeColumn::Text([](Row& r) { return r.id(); }), "UUIDv7"},
    {2, "created_at", ExchangeColumn::Time{warehouse::created_at},
     "when the head of the request was complete, UTC"},
    {3, "kind",
     ExchangeColumn::Text([](Row& r) { return name_of(v1::Kind_Name(r.exchange().kind()), "KIND_"); }),
     "PRIMARY, SHADOW, CONTROL, ..."},
    {4, "parent_id", ExchangeColumn::Text([](Row& r) { return r.parent_id(); }),
     "of a shadow or control: its primary"},
    {5, "outcome", ExchangeColumn::Text([](Row& r) {
       return name_of(v1::Outcome_Name(r.exchange().outcome()), "OUTCOME_");
     }),
     "COMPLETED, CLIENT_ABORTED, UPSTREAM_TIMEOUT, REFUSED, ..."},
    {6, "refusal", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().refusal()); }),
     "why the gateway refused it"},
    {7, "route", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().route()); }),
     ""},
    {8, "path_template", ExchangeColumn::Text([](Row& r) {
       return unless_empty(r.exchange().decision().path_template());
     }),
     "of the route: `/searches/{id}`"},
    {9, "method", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().request().method()); }),
     ""},
    {10, "scheme", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().request().scheme()); }),
     ""},
    {11, "authority", ExchangeColumn::Text([](Row& r) {
       return unless_empty(r.exchange().request().authority());
     }),
     "host and port, as the client said them"},
    {12, "target", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().request().target()); }),
     "path and query, as they came"},
    {13, "path", ExchangeColumn::Text([](Row& r) { return unless_empty(r.path()); }),
     "`target` up to the query"},
    {14, "status", ExchangeColumn::Number([](Row& r) {
       const auto status = r.exchange().response().status();
       return SEGUE_NUMBER_IF(status != 0, status);
     }),
     "NULL: there was no answer"},
    {15, "account_id", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().account_id()); }),
     "plain, or `h:` and a keyed hash"},
    {16, "backend", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().backend()); }),
     ""},
    {17, "role", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().role()); }),
     "legacy, new, or the backend's name"},
    {18, "endpoint", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().endpoint()); }),
     "host and port that served"},
    {19, "bucket", ExchangeColumn::Number([](Row& r) {
       const v1::Decision& decision = r.exchange().decision();
       return SEGUE_NUMBER_IF(decision.has_bucket(), decision.bucket());
     }),
     "sticky bucket, 0 to 9999"},
    {20, "shadow", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().decision().shadow()); }),
     "what became of the shadow: sent, or why not"},
    {21, "latency_us", ExchangeColumn::Number([](Row& r) {
       const v1::Timing& timing = r.exchange().timing();
       return SEGUE_NUMBER_IF(timing.has_last_byte(), timing.last_byte());
     }),
     "to the last byte of the answer, microseconds"},
    {22, "first_byte_us", ExchangeColumn::Number([](Row& r) {
       const v1::Timing& timing = r.exchange().timing();
       return SEGUE_NUMBER_IF(timing.has_first_byte(), timing.first_byte());
     }),
     "to the head of the answer, microseconds"},
    {23, "attempts", ExchangeColumn::Number([](Row& r) { return Number(r.exchange().attempts_size()); }),
     "tries that are on record; 0: the first one answered"},
    {24, "error", ExchangeColumn::Text(last_error), "of the last try, where it failed"},
    {25, "request_headers", ExchangeColumn::Fields([](Row& r) -> const Headers& {
       return r.exchange().request().fields();
     }),
     "by lower-case name: `request_headers['accept'][1]`"},
    {26, "request_body", ExchangeColumn::Text([](Row& r) { return r.request_body().text; }),
     "content codings undone; where it is text"},
    {27, "request_body_bytes",
     ExchangeColumn::Blob{[](Row& r) { return r.request_body().bytes; }},
     "where it is not"},
    {28, "request_size", ExchangeColumn::Number([](Row& r) { return size_of(r.exchange().request().body()); }),
     "bytes of the body as sent, on record or not"},
    {29, "request_capture", ExchangeColumn::Text([](Row& r) { return capture_of(r.exchange().request().body()); }),
     "ABSENT, COMPLETE, TRUNCATED or SKIPPED"},
    {30, "response_headers", ExchangeColumn::Fields([](Row& r) -> const Headers& {
       return r.exchange().response().fields();
     }),
     ""},
    {31, "response_body", ExchangeColumn::Text([](Row& r) { return r.response_body().text; }), ""},
    {32, "response_body_bytes",
     ExchangeColumn::Blob{[](Row& r) { return r.response_body().bytes; }}, ""},
    {33, "response_size", ExchangeColumn::Number([](Row& r) { return size_of(r.exchange().response().body()); }),
     ""},
    {34, "response_capture", ExchangeColumn::Text([](Row& r) { return capture_of(r.exchange().response().body()); }),
     ""},
    {35, "client_address", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().client().address()); }),
     ""},
    {36, "trace_id", ExchangeColumn::Text([](Row& r) { return r.trace_id(); }), "of `traceparent`"},
    {37, "service", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().provenance().service()); }),
     ""},
    {38, "instance", ExchangeColumn::Text([](Row& r) { return unless_empty(r.exchange().provenance().instance()); }),
     ""},
    {39, "config_version", ExchangeColumn::Text([](Row& r) {
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

void set_null(duckdb_vector into, idx_t at) {
  duckdb_vector_ensure_validity_writable(into);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(into), at);
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
void write_headers(duckdb_vector map, idx_t at, std::span<const ExchangeRow::NamedField> fields) {
  std::size_t names = 0;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (i == 0 || fields[i].name != fields[i - 1].name) ++names;
  idx_t entry = grow(map, names);
  set_entry(map, at, entry, names);
  const duckdb_vector entries = duckdb_list_vector_get_child(map);
  const duckdb_vector keys = duckdb_struct_vector_get_child(entries, 0);
  const duckdb_vector lists = duckdb_struct_vector_get_child(entries, 1);
  idx_t place = grow(lists, fields.size());
  const duckdb_vector texts = duckdb_list_vector_get_child(lists);
  for (std::size_t i = 0; i < fields.size(); ++entry) {
    const idx_t first = place;
    const std::string_view name = fields[i].name;
    write_text(keys, entry, name);
    for (; i < fields.size() && fields[i].name == name; ++i)
      write_text(texts, place++, fields[i].value);
    set_entry(lists, entry, first, place - first);
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
    if (!found) return set_null(into, at);
    static_cast<std::int64_t*>(duckdb_vector_get_data(into))[at] = *found;
  };
  std::visit(Overloaded{[&](Text of) {
                          const auto text = of(row);
                          if (text) return write_text(into, at, *text);
                          set_null(into, at);
                        },
                        [&](Blob blob) {
                          const auto octets = blob.of(row);
                          if (!octets) return set_null(into, at);
                          duckdb_vector_assign_string_element_len(into, at, octets->data(),
                                                                  octets->size());
                        },
                        [&](Number of) { number(of(row)); },
                        [&](Time time) { number(time.of(row)); },
                        [&](Fields of) { write_headers(into, at, row.by_name(of(row))); }},
             value);
}

void ExchangeColumn::write_null(duckdb_vector into, idx_t at) const {
  set_null(into, at);
  // What is NULL must still say where the next list begins.
  if (std::holds_alternative<Fields>(value))
    set_entry(into, at, duckdb_list_vector_get_size(into), 0);
}

std::optional<std::int64_t> created_at(ExchangeRow& row) {
  const std::int64_t at = row.exchange().created_at();
  return at > 0 && at <= kLastMoment ? Number(at) : Number{};
}

std::span<const ExchangeColumn> exchange_columns() { return kColumns; }

std::span<const ArchiveColumn> archive_columns() {
  static constexpr ArchiveColumn kArchiveColumns[] = {
      {100, "source", DUCKDB_TYPE_VARCHAR, "VARCHAR", "topic, or instance whose journal it was"},
      {101, "partition", DUCKDB_TYPE_VARCHAR, "VARCHAR", "of the topic; of a journal: run and lane"},
      {102, "offset", DUCKDB_TYPE_BIGINT, "BIGINT", "of the record there"},
      {103, "redelivered", DUCKDB_TYPE_BOOLEAN, "BOOLEAN", "its publisher may have sent it before"},
      {104, "record", DUCKDB_TYPE_BLOB, "BLOB", "its Protobuf, without bodies"},
  };
  return kArchiveColumns;
}

std::string archive_field_ids() {
  std::string ids;
  for (const ExchangeColumn& column : kColumns) {
    const int id = column.field_id;
    if (std::holds_alternative<ExchangeColumn::Fields>(column.value))
      ids += fmt::format("{}: {{__duckdb_field_id: {}, key: {}, value: {{__duckdb_field_id: {}, "
                         "element: {}}}}}, ",
                         column.name, id, id * 1000 + 1, id * 1000 + 2, id * 1000 + 3);
    else
      ids += fmt::format("{}: {}, ", column.name, id);
  }
  for (const ArchiveColumn& column : archive_columns())
    ids += fmt::format("\"{}\": {}{}", column.name, column.field_id,
                       column.field_id == archive_columns().back().field_id ? "" : ", ");
  return "{" + ids + "}";
}

}  // namespace segue::warehouse
