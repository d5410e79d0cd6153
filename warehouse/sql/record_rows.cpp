#include "warehouse/sql/record_rows.hpp"

#include <array>
#include <charconv>

#include "recorder/redaction/content_coding.hpp"

namespace segue::warehouse {
namespace {

enum Column : std::size_t {
  kSource,
  kPartition,
  kOffset,
  kRedelivered,
  kIsExchange,
  kRecord,
  kRequestText,
  kRequestBytes,
  kResponseText,
  kResponseBytes,
};

constexpr const char* kColumns =
    "source, \"partition\", \"offset\"::VARCHAR, redelivered::VARCHAR, "
    "(kind IS NOT NULL)::VARCHAR, record, request_body, request_body_bytes, response_body, response_body_bytes";

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// What cannot be decoded is archived as it came: whole it has the size that was sent. Content of
// that size, or cut, is decoded again: where that can be done, it was coded twice and undone once;
// where it is damaged, it is as it came if it still begins as gzip (RFC 1952) or zstd (RFC 8878) do.
bool was_decoded(const v1::Body& body, std::string_view content) {
  if (body.coding_undone() || !recorder::has_coding(body.content_coding()) || content.empty())
    return body.coding_undone();
  if (body.capture() == v1::CAPTURE_COMPLETE && content.size() != body.size()) return true;
  std::string decoded;
  const std::array<std::string_view, 1> coded{content};
  switch (recorder::undo_codings(body.content_coding(), coded, decoded)) {
    case recorder::Decoding::done:
      return true;
    case recorder::Decoding::damaged:
      return !content.starts_with("\x1f\x8b") && !content.starts_with("\x28\xb5\x2f\xfd");
    case recorder::Decoding::unknown:
    case recorder::Decoding::too_long:
      break;
  }
  return false;
}

// Absent columns leave the body without content, as it was recorded.
void put_back(std::string_view text, std::string_view bytes, v1::Body& body) {
  const std::string_view content = text.data() == nullptr ? bytes : text;
  if (was_decoded(body, content)) body.set_coding_undone(true);
  if (!content.empty()) body.set_content(content.data(), content.size());
}

}  // namespace

RecordRows::RecordRows(Engine& engine, const std::string& rows)
    : rows_(engine.open(std::string("SELECT ") + kColumns + " FROM " + rows)) {}

RecordRow* RecordRows::next() {
  const Engine::Row* const found = rows_->next();
  if (found == nullptr) return nullptr;
  const Engine::Row& row = *found;
  row_.source = row[kSource];
  row_.partition = row[kPartition];
  row_.offset = number(row[kOffset]);
  row_.redelivered = row[kRedelivered] == "true";
  row_.octets = row[kRecord];
  row_.is_exchange =
      row[kIsExchange] == "true" &&
      row_.exchange.ParseFromArray(row_.octets.data(), static_cast<int>(row_.octets.size()));
  if (!row_.is_exchange) {
    row_.exchange.Clear();
    return &row_;
  }
  v1::Exchange& exchange = row_.exchange;
  if (row[kRequestText].data() != nullptr || row[kRequestBytes].data() != nullptr)
    put_back(row[kRequestText], row[kRequestBytes], *exchange.mutable_request()->mutable_body());
  if (row[kResponseText].data() != nullptr || row[kResponseBytes].data() != nullptr)
    put_back(row[kResponseText], row[kResponseBytes], *exchange.mutable_response()->mutable_body());
  return &row_;
}

}  // namespace segue::warehouse
