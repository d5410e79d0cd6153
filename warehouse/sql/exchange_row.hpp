#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/exchange.pb.h"

namespace segue::warehouse {

// One recorded exchange as a row of a table: what a column needs beyond the message itself, made
// when it is asked for. Reused: read() starts the next one and keeps the memory. One thread; the
// exchange must outlive what is asked of its row.
class ExchangeRow {
 public:
  void read(const v1::Exchange& exchange);
  const v1::Exchange& exchange() const noexcept { return *exchange_; }

  // A body with its content codings undone. `text` when it is text: valid UTF-8 without NUL; else
  // `bytes`. Neither: there is none on record. What cannot be decoded is given as it came.
  struct Content {
    std::optional<std::string_view> text;
    std::optional<std::string_view> bytes;
  };
  const Content& request_body();
  const Content& response_body();

  // Header fields by lower-case name, those of one name in the order in which they came. Valid until
  // the next call.
  struct NamedField {
    std::string_view name, value;
  };
  std::span<const NamedField> by_name(const google::protobuf::RepeatedPtrField<v1::Field>& fields);

  // Canonical text of ids; nullopt for anything but 16 bytes.
  std::optional<std::string_view> id();
  std::optional<std::string_view> parent_id();
  std::optional<std::string_view> trace_id();  // 32 hexadecimal digits
  // The target up to its query.
  std::string_view path() const;

 private:
  struct Body {
    Content content;
    std::string decoded;
    bool made = false;
  };
  static const Content& content_of(const v1::Body& body, Body& into);

  const v1::Exchange* exchange_ = nullptr;
  Body request_;
  Body response_;
  std::string id_, parent_id_, trace_id_;
  std::string names_;
  std::vector<NamedField> fields_;
};

}  // namespace segue::warehouse
