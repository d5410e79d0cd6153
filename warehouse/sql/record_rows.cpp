#include "warehouse/sql/record_rows.hpp"

#include <charconv>

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
    "source, \"partition\", \"offset\"::VARCHAR, redelivered::VARCHAR, (kind IS NOT NULL)::VARCHAR, "
    "record, request_body, request_body_bytes, response_body, response_body_bytes";

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Absent columns leave the body without content, as it was recorded.
void put_back(std::string_view text, std::string_view bytes, v1::Body& body) {
  if (text.data() == nullptr) text = bytes;
  if (!text.empty()) body.set_content(text.data(), text.size());
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
