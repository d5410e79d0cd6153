#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "kafka/topic_writer.hpp"
#include "warehouse/archive/restored_mark.hpp"
#include "warehouse/sql/record_rows.hpp"

namespace segue::warehouse {

// How the values of a topic are to be.
struct ValueForm {
  std::optional<std::uint32_t> schema_id;  // of Confluent's frame; nullopt: plain
  std::size_t max_bytes = 0;               // of a record
};

// A record as the publisher makes it (recorder/publisher/record.hpp), of what an archive holds of
// it, with the header that says where it was. A body whose content coding the archive undid says so
// (`coding_undone`); one that does not fit any more is cut, as the publisher cuts it. What is no
// exchange comes back without key. Reused; one thread.
class RestoredRecord {
 public:
  explicit RestoredRecord(ValueForm form) : form_(form) {}

  // Valid until the next call. nullopt: even without bodies it is larger than the topic takes.
  std::optional<kafka::TopicWriter::Outgoing> make(RecordRow& row, const RestoredMark& mark,
                                                   std::int32_t partition);
  std::uint64_t cut() const noexcept { return cut_; }  // so many had to be cut

 private:
  bool set_value(const std::string& payload, std::size_t overhead);

  const ValueForm form_;
  std::string payload_;
  std::string value_;
  std::string key_text_;
  std::int64_t last_millis_ = 0;  // what has no time of its own gets that of the one before it
  std::uint64_t cut_ = 0;
};

}  // namespace segue::warehouse
