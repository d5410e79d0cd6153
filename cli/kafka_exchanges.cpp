#include "cli/kafka_exchanges.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "cli/exchange_value.hpp"
#include "cli/figures.hpp"
#include "exchange/head.hpp"

namespace segue::cli {
namespace {

// Whether a record may be a FINISH; one without the header may be anything.
bool may_be_finish(const kafka::TopicRecord& record) {
  for (const auto& [name, value] : record.headers)
    if (name == "segue-kind") return equals_ignoring_case(value, "finish");
  return true;
}

}  // namespace

KafkaExchanges::KafkaExchanges(const KafkaSource& source, kafka::StartPosition start,
                               kafka::TopicReadOptions::End end)
    : name_(source.topic),
      cluster_(source.settings, source.timeout),
      reader_(cluster_, source.topic, {{}, start, end}) {}

bool KafkaExchanges::is_new(const v1::Exchange& exchange) {
  const bool again = seen_.seen_before(exchange.id());
  if (again) ++duplicates_;
  return !again;
}

bool KafkaExchanges::next(v1::Exchange& exchange) {
  while (const kafka::TopicRecord* const record = reader_.next()) {
    if (!record->value || !decode_exchange(*record->value, exchange))
      ++others_;
    else if (is_new(exchange))
      return true;
  }
  return false;
}

bool KafkaExchanges::next_finish(v1::Exchange& exchange) {
  while (const kafka::TopicRecord* const record = reader_.next())
    if (record->value && may_be_finish(*record) && decode_exchange(*record->value, exchange) &&
        exchange.kind() == v1::KIND_FINISH)
      return true;
  return false;
}

void KafkaExchanges::tell() {
  if (others_ != 0)
    fmt::print(stderr, "seguectl: {}: {} records are no exchanges and were skipped\n", name_,
               grouped(others_));
  if (duplicates_ != 0)
    fmt::print(stderr, "seguectl: {}: {} records were there twice (sent again) and are shown once\n",
               name_, grouped(duplicates_));
  others_ = duplicates_ = 0;
}

}  // namespace segue::cli
