#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "exchange/error.hpp"
#include "exchange/exchange.hpp"
#include "recorder/journal/counters.hpp"
#include "recorder/keyed_hash.hpp"
#include "recorder/promise.hpp"
#include "recorder/redaction/redactor.hpp"
#include "recorder/redaction/route_rules.hpp"
#include "recorder/serialise.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

class Lane;

// What a Recorder needs to know; the same for all cores of a process.
struct RecorderSettings {
  Provenance provenance;
  std::vector<RecordSettings> routes;  // by routing's Route::index
  RecordSettings unrouted;             // for what no route took: refused requests
  WhenFull when_full_safe = WhenFull::drop;
  WhenFull when_full_unsafe = WhenFull::refuse;
  std::chrono::milliseconds block_timeout{100};
  std::size_t response_head_bytes = 32 << 10;  // the longest response head that is accepted
  std::optional<RedactionKey> key;  // to hash and encrypt with; none: what asks for it is masked
  std::uint32_t lane = 0;           // number of the core, within values that are encrypted
};

// Those who keep the promises of `durability` for the recorder's lane; null: nobody does, and no
// route asks for it.
struct LanePromises {
  Promise* disk = nullptr;
  Promise* kafka = nullptr;
};

// Index of a route's settings; kUnrouted for what no route took.
using RouteIndex = std::uint32_t;
inline constexpr RouteIndex kUnrouted = ~RouteIndex{0};

// What became of an exchange that needed no error.
enum class Recorded : std::uint8_t {
  whole,           // as it was captured; too large for a frame: bodies TRUNCATED("frame")
  without_bodies,  // the journal is full: bodies SKIPPED("journal"), in the room of the intent
  dropped,         // the journal is full and `when_full` says drop, or scarce and it is a shadow
  unwanted,        // `record: none`
};

// Why something was not recorded, or not whole.
struct RecorderCounters {
  Counter intents;
  Counter exchanges;
  Counter finishes;
  Counter bytes;               // of payloads, all kinds
  Counter dropped_intents;     // no room; the exchange goes on without its intent
  Counter dropped_exchanges;
  Counter dropped_refusals;    // answers of the gateway's own: they go out all the same
  Counter dropped_finishes;
  Counter refused;             // intents and exchanges answered with an error
  Counter blocked;             // times a caller was told to wait
  Counter without_bodies;
  Counter cut_bodies;          // exchanges whose bodies were cut to fit a frame
  Counter redacted;            // values
};

// An intent on record that still waits for its exchange. Holds the room reserved for it; gives it
// back when it is destroyed. An intent whose exchange never comes stays open in the journal, and
// is INTERRUPTED to those who read it. Must not outlive the lane; same thread.
class IntentTicket {
 public:
  IntentTicket() = default;
  IntentTicket(IntentTicket&& other) noexcept
      : lane_(std::exchange(other.lane_, nullptr)), reserved_(other.reserved_), id_(other.id_) {}
  IntentTicket& operator=(IntentTicket&& other) noexcept;
  ~IntentTicket() { give_back(); }

  // False: there is no intent on record (not made, dropped, or used up).
  explicit operator bool() const noexcept { return lane_ != nullptr; }

 private:
  friend class Recorder;
  IntentTicket(Lane& lane, std::size_t reserved, const ExchangeId& id)
      : lane_(&lane), reserved_(reserved), id_(id) {}
  void give_back() noexcept;

  Lane* lane_ = nullptr;
  std::size_t reserved_ = 0;  // bytes
  ExchangeId id_;
};

// Puts exchanges on record: redacted, serialised once, straight into the core's lane. One a core,
// used by its thread only; never blocks and allocates only while its scratch memory grows.
//
// When the journal has no room, `when_full` for the method decides: drop is a success that says
// so; refuse is an error (at_fault journal); block is an error with the code
// resource_unavailable_try_again: wait a little and call again, for block_timeout() altogether,
// then treat it as refused.
class Recorder {
 public:
  // The lane and the promises must outlive the recorder; the settings are copied.
  Recorder(Lane& lane, RecorderSettings settings, const AccountKey& key,
           LanePromises promises = {});
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Before the first byte of an unsafe request goes upstream. `exchange` is what is known so far;
  // it is recorded with outcome INTERRUPTED, its request body when that is COMPLETE and at most
  // kIntentBodyBytes, else TRUNCATED("intent"). Reserves room for the exchange without bodies.
  // A false ticket is no error: `record: none`, `durability: best-effort`, or dropped.
  Result<IntentTicket> intend(const ExchangeView& exchange, RouteIndex route);

  // Once an exchange, before the last byte of its response is handed to the socket. `ticket` is
  // used up by success only, so that a caller that must wait can call again.
  Result<Recorded> append(const ExchangeView& exchange, RouteIndex route, IntentTicket& ticket);

  // Whether the journal has so little room left that shadows and controls are dropped, for the sake
  // of what clients do. Does not ask the disk.
  bool scarce() const noexcept;

  // What could not be in the exchange; nobody waits for it.
  void finish(const FinishView& finish);

  // The exchange without its bodies as it may be shown to people elsewhere, in an access log:
  // redacted as on record, `record: none` included. Valid until the next call of anything.
  ExchangeView shown(const ExchangeView& exchange, RouteIndex route);

  // Once a turn of the event loop, and before the last byte of a response is sent: where the
  // journal's file system cannot be mapped, what was appended is written here. Nothing to do
  // elsewhere.
  Result<void> flush();

  // What a route's `durability` waits for behind an append: want(last_sequence()), and the answer
  // may go once it is reached. Null: nothing to wait for.
  Promise* promise(RouteIndex route) const noexcept;
  // Of the frame that was appended last.
  std::uint64_t last_sequence() const noexcept;
  LanePromises promises() const noexcept { return promises_; }

  const RecordSettings& settings(RouteIndex route) const noexcept;
  std::chrono::milliseconds block_timeout() const noexcept { return block_timeout_; }
  const RecorderCounters& counters() const noexcept { return counters_; }

  // True for the error that asks to wait and call again.
  static bool wants_wait(const Error& error) noexcept;

  static constexpr std::size_t kIntentBodyBytes = 64 << 10;

 private:
  // Settings of one route, ready for use.
  struct Ruling {
    RecordSettings settings;
    RouteRules rules;
    AccountForm account;
    std::size_t overhead;  // bytes that a record may need around a response head, at most
    explicit Ruling(RecordSettings s);
  };

  const Ruling& ruling(RouteIndex route) const noexcept;
  WhenFull when_full(const ExchangeView& exchange, const Ruling& ruling) const noexcept;
  // Redacted where the rules of the route need it; used up by measure() and what follows.
  struct Subject {
    const ExchangeView& view;
    const Redacted* redacted;  // null: the serialiser does it all
  };
  Subject redact(const ExchangeView& exchange, const Ruling& ruling);
  std::size_t measure(const Subject& subject, const Ruling& ruling, const BodyCut& cut);
  // Measures, cutting bodies where the whole would be larger than a frame may be.
  std::size_t measure_to_fit(const Subject& subject, const Ruling& ruling);
  bool append_without_bodies(const Subject& subject, const Ruling& ruling, IntentTicket& ticket);
  void written(std::size_t bytes, IntentTicket& ticket);
  // The error of `policy`, which is refuse or block.
  Error no_room(WhenFull policy, const char* doing);

  Lane& lane_;
  LanePromises promises_;
  std::vector<Ruling> routes_;
  Ruling unrouted_;
  WhenFull when_full_safe_;
  WhenFull when_full_unsafe_;
  std::chrono::milliseconds block_timeout_;
  std::size_t response_head_bytes_;
  Redactor redactor_;
  Serialiser serialiser_;
  std::vector<Field> shown_fields_;
  RecorderCounters counters_;
};

}  // namespace segue::recorder
