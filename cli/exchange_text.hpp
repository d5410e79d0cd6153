#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "recorder/exchange.pb.h"

namespace segue::cli {

// How parts of a record read in every output.

std::string_view kind_name(v1::Kind kind);           // "PRIMARY"
std::string_view outcome_name(v1::Outcome outcome);  // "COMPLETED"
std::string_view capture_name(v1::Capture capture);  // "TRUNCATED"
std::string_view redaction_mode_name(v1::Redaction::Mode mode);  // "mask"
std::string_view redaction_part_name(v1::Redaction::Part part);  // "request"

// Canonical text of 16 raw bytes; empty for anything else.
std::string id_text(std::string_view raw);
std::string hex(std::string_view octets);

// "2026-11-21T09:00:00.123456Z" of microseconds since the Unix epoch (RFC 3339, UTC).
std::string time_text(std::int64_t unix_micros);

// Whether a body of that content type is text to a person: text/*, JSON, XML, forms, scripts.
bool is_text_type(std::string_view content_type);
// Whether the content may be shown as text: a text type, not compressed, valid UTF-8.
bool is_readable(const v1::Body& body);

// For a terminal: control characters and octets that are not UTF-8 as \xNN, so that recorded
// traffic cannot steer it. Line feeds and tabs stay with Lines::keep.
enum class Lines : std::uint8_t { escape, keep };
std::string printable(std::string_view text, Lines lines = Lines::escape);

// What a FINISH says of its exchange, joined in: COMPLETED becomes how it ended, and the byte counts
// are copied.
void join_finish(v1::Exchange& exchange, const v1::Exchange& finish);

}  // namespace segue::cli
