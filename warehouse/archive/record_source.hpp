#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/archive/layout.hpp"

namespace segue::warehouse {

// A record on its way into the archive; views are valid until the next one is asked for.
struct SourceRecord {
  std::uint64_t offset = 0;
  std::string_view payload;  // protobuf segue.v1.Exchange
  bool redelivered = false;  // its publisher may have sent it before
};

// What a chain has now that the archive does not: records `from` to before `to`. What the source
// cannot give any more is `lost`, up to before `from`.
// `to` below what was asked for: the source was made anew; the archiver halts and says so.
struct Waiting {
  Chain chain;
  std::uint64_t lost_from = 0;  // == from: nothing was lost
  std::string lost_reason{};
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  // Where all ends that waits now, when that is behind a gap at `to`; else 0.
  std::uint64_t end = 0;
};

// Records of one range of a chain, in their order; offsets may have holes.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // nullopt: the range is at its end. What is no exchange is given all the same.
  virtual std::optional<SourceRecord> next() = 0;
};

// A journal, or a topic, as the archiver reads it. One thread. Throws StartupError, RemoteError.
class RecordSource {
 public:
  virtual ~RecordSource() = default;

  // As a user writes it: journal:DIR, kafka://BROKERS/TOPIC.
  virtual const std::string& name() const = 0;
  // The chains that are this archiver's to read now; others may be later.
  virtual std::vector<Chain> chains() = 0;
  // Where a chain of which the archive knows nothing begins.
  virtual std::uint64_t first(const Chain& chain) = 0;
  // What waits behind `next`, as of now; nullopt: nothing.
  virtual std::optional<Waiting> waiting(const Chain& chain, std::uint64_t next) = 0;
  // Reads a fixed range, at any time again: a claim that another left open is encoded from it.
  virtual std::unique_ptr<RecordReader> read(const Chain& chain, std::uint64_t from,
                                             std::uint64_t to) = 0;
  // All before `next` is in the archive and `.done`: a hint to a group, a journal's cursor.
  virtual void archived(const Chain& chain, std::uint64_t next) = 0;
  // Until something new may be there, at most until `flush_every` is over, or the process is told to
  // end.
  virtual void wait(std::chrono::milliseconds most) = 0;
};

}  // namespace segue::warehouse
