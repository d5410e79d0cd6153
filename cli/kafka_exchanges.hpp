#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "cli/seen_ids.hpp"
#include "cli/source.hpp"
#include "kafka/cluster.hpp"
#include "kafka/topic_reader.hpp"
#include "recorder/exchange.pb.h"

namespace segue::cli {

// The exchanges of a topic, each once: what the publisher sent again after a failure is left out
// as long as its id is remembered (SeenIds). Records that are no exchange are skipped and counted.
// One thread.
class KafkaExchanges {
 public:
  // Connects. Throws RemoteError.
  KafkaExchanges(const KafkaSource& source, kafka::StartPosition start,
                 kafka::TopicReadOptions::End end);

  // False: nothing more, for now or for good. Throws RemoteError.
  bool next(v1::Exchange& exchange);
  // FINISH records alone, by their header where they have it, so that nothing else is decoded.
  bool next_finish(v1::Exchange& exchange);

  // How many records are there and were passed, for a progress bar.
  std::uint64_t expected() const { return reader_.expected(); }
  std::uint64_t passed() const { return reader_.passed(); }

  // On standard error, a line each: what was skipped, and what was there twice.
  void tell();

 private:
  bool is_new(const v1::Exchange& exchange);

  const std::string name_;
  kafka::Cluster cluster_;
  kafka::TopicReader reader_;
  SeenIds seen_;
  std::uint64_t others_ = 0;      // records that are no exchange, untold
  std::uint64_t duplicates_ = 0;  // untold
};

}  // namespace segue::cli
