#include "warehouse/sql/exchange_row.hpp"

#include <algorithm>
#include <array>

#include "exchange/id.hpp"
#include "recorder/redaction/content_coding.hpp"
#include "recorder/utf8.hpp"

namespace segue::warehouse {
namespace {

constexpr std::size_t kKeptBytes = 1 << 20;  // of a decoded body's memory, from row to row

std::optional<std::string_view> id_text(std::string_view raw, std::string& into) {
  const auto id = ExchangeId::from_bytes(raw);
  if (!id) return std::nullopt;
  into = id->text();
  return into;
}

char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

void ExchangeRow::read(const v1::Exchange& exchange) {
  exchange_ = &exchange;
  for (Body* const body : {&request_, &response_}) {
    body->made = false;
    if (body->decoded.capacity() > kKeptBytes) body->decoded = {};
  }
}

const ExchangeRow::Content& ExchangeRow::request_body() {
  return content_of(exchange_->request().body(), request_);
}

const ExchangeRow::Content& ExchangeRow::response_body() {
  return content_of(exchange_->response().body(), response_);
}

const ExchangeRow::Content& ExchangeRow::content_of(const v1::Body& body, Body& into) {
  if (into.made) return into.content;
  into.made = true;
  into.content = {};
  if (body.capture() != v1::CAPTURE_COMPLETE && body.capture() != v1::CAPTURE_TRUNCATED)
    return into.content;
  std::string_view bytes = body.content();
  if (!bytes.empty() && !body.coding_undone() && recorder::has_coding(body.content_coding())) {
    const std::array<std::string_view, 1> coded{bytes};
    const auto undone = recorder::undo_codings(body.content_coding(), coded, into.decoded);
    if (undone == recorder::Decoding::done) bytes = into.decoded;
  }
  const bool is_text =
      bytes.find('\0') == std::string_view::npos && recorder::is_utf8(bytes);
  (is_text ? into.content.text : into.content.bytes) = bytes;
  return into.content;
}

std::span<const ExchangeRow::NamedField> ExchangeRow::by_name(
    const google::protobuf::RepeatedPtrField<v1::Field>& fields) {
  std::size_t length = 0;
  for (const v1::Field& field : fields) length += field.name().size();
  names_.resize(length);
  fields_.clear();
  char* at = names_.data();
  for (const v1::Field& field : fields) {
    char* const end = std::ranges::transform(field.name(), at, lower_case).out;
    fields_.push_back({{at, end}, field.value()});
    at = end;
  }
  // Names lie in `names_` in the order of fields.
  std::ranges::sort(fields_, [](const NamedField& a, const NamedField& b) {
    const int order = a.name.compare(b.name);
    return order != 0 ? order < 0 : a.name.data() < b.name.data();
  });
  return fields_;
}

std::optional<std::string_view> ExchangeRow::id() { return id_text(exchange_->id(), id_); }

std::optional<std::string_view> ExchangeRow::parent_id() {
  return id_text(exchange_->parent_id(), parent_id_);
}

std::optional<std::string_view> ExchangeRow::trace_id() {
  const std::string& raw = exchange_->trace().trace_id();
  if (raw.size() != 16) return std::nullopt;
  constexpr std::string_view kDigits = "0123456789abcdef";
  trace_id_.clear();
  for (const char byte : raw) {
    const auto octet = static_cast<unsigned char>(byte);
    trace_id_ += kDigits[octet >> 4U];
    trace_id_ += kDigits[octet & 0xFU];
  }
  return trace_id_;
}

std::string_view ExchangeRow::path() const {
  const std::string_view target = exchange_->request().target();
  return target.substr(0, target.find('?'));
}

}  // namespace segue::warehouse
