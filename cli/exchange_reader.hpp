#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/archive_exchanges.hpp"
#include "cli/journal_progress.hpp"
#include "cli/kafka_exchanges.hpp"
#include "cli/source.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/reader.hpp"

namespace segue::cli {

class Progress;

// FINISH records by the raw id of their exchange.
using Finishes = std::unordered_map<std::string, v1::Exchange>;

// All of a record. False: it is no exchange; `into` is then anything.
bool parse_whole(std::string_view record, v1::Exchange& into);

// Which part of a source is read.
struct ReadRange {
  std::int64_t since = 0;          // Unix microseconds; what is older may come all the same
  unsigned last_segments = 0;      // of a journal: of each lane; 0: all
  std::uint64_t last_records = 0;  // of a topic: of each partition; 0: all
  // whole: to the end as it is now; follow: next() finds what comes later, too.
  enum class Until : std::uint8_t { now, follow } until = Until::now;
  // What an archive need not give; it may come all the same. See ArchiveRange.
  std::string condition{};
  std::optional<IdRange> ids{};
  // What is taken of each record of a journal. Those of a topic are always read whole, for anybody
  // may write there, and protobuf makes something of much that was never an exchange.
  bool (*parse)(std::string_view record, v1::Exchange& into) = parse_whole;
};

// Exchanges of a source in causal order (of a topic: kafka/topic_reader.hpp says which; of an
// archive: cli/archive_exchanges.hpp), FINISH records among them; reading goes on behind what is
// damaged. Who reads an archive listens for interrupts, and ends by them: Interrupted comes out of
// what waits for it. One thread.
class ExchangeReader {
 public:
  // Throws StartupError, RemoteError, Interrupted.
  ExchangeReader(const Source& source, const ReadRange& range);

  // Null: nothing more for now. Valid until the next call. Throws StartupError when the source
  // cannot be read any more, Interrupted.
  v1::Exchange* next();

  // On standard error: what was found damaged, skipped or twice and has not been told yet.
  void tell_damage();

  // Moves the bar.
  void show(Progress& progress) const;

 private:
  v1::Exchange* next_frame();

  bool (*parse_)(std::string_view record, v1::Exchange& into);
  std::unique_ptr<recorder::JournalReader> journal_;
  std::unique_ptr<JournalProgress> journal_progress_;
  std::unique_ptr<KafkaExchanges> kafka_;  // instead of `journal_`
  std::unique_ptr<ArchiveExchanges> archive_;  // likewise
  v1::Exchange exchange_;
  std::size_t told_ = 0;
  std::vector<std::string> unreadable_;  // whole frames that are no exchange, untold
};

// One pass over a source for its FINISH records alone: what is said of an exchange may stand
// anywhere behind it, and they are few.
Finishes gather_finishes(const Source& source, std::int64_t since);

}  // namespace segue::cli
