#pragma once

#include <string>

#include "cli/colour.hpp"
#include "cli/reading_options.hpp"
#include "kafka/topic_reader.hpp"
#include "recorder/exchange.pb.h"

namespace segue::cli {

// A record of a topic with what its value was decoded to; null: it is no exchange.
struct ShownRecord {
  const std::string& topic;
  const kafka::TopicRecord& record;
  const v1::Exchange* exchange;
  std::uint32_t schema_id = 0;  // of a framed value; 0: plain
};

// For a person, several lines: place, time, key, headers, and the value as an exchange, as text or
// as the start of it in hexadecimal.
std::string record_text(const ShownRecord& shown, const Paint& paint);

// One line of JSON without its newline.
std::string record_json(const ShownRecord& shown);

// Decodes and writes a record in that form, with its newline.
std::string rendered_record(const std::string& topic, const kafka::TopicRecord& record,
                            OutputForm form, const Paint& paint);

}  // namespace segue::cli
