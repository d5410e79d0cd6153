#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.hpp"
#include "recorder/keyed_hash.hpp"
#include "recorder/redaction/header_rules.hpp"
#include "recorder/redaction/redactor.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

enum class AccountForm : std::uint8_t { plain, hashed };

// How much of the captured bodies goes on record. A body that is cut says so: `capture` and
// `reason` take the place of its own.
struct BodyCut {
  static constexpr std::uint64_t kWhole = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t request_bytes = kWhole;
  std::uint64_t response_bytes = kWhole;
  Capture capture = Capture::truncated;
  std::string_view reason;
};

// Turns exchanges into protobuf segue.v1.Exchange, redacted, straight into the caller's memory:
// measure(), then write() into exactly that many bytes. One core's, one thread; its scratch
// memory grows to the largest exchange seen and is then reused.
class Serialiser {
 public:
  Serialiser(const Provenance& provenance, const AccountKey& key);

  // Bytes that write() will fill. The exchange, what it points to, and the rules must stay until
  // then. Masks and drops by the header rules; those that hash or encrypt mask as well.
  std::size_t measure(const ExchangeView& exchange, const HeaderRules& rules, AccountForm account,
                      const BodyCut& cut = {});
  // The same for an exchange that went through a redactor, with the header rules of its route:
  // fields to hash or encrypt are so already.
  std::size_t measure(const Redacted& redacted, const HeaderRules& rules, AccountForm account,
                      const BodyCut& cut = {});
  // Writes what was measured last. `out` has room for exactly that.
  void write(char* out);

  // Of what was measured last: captured body bytes that were left in, and values redacted.
  std::uint64_t body_bytes() const noexcept { return request_body_.bytes + response_body_.bytes; }
  std::uint64_t redacted() const noexcept;

  // The same two steps for a FINISH record.
  std::size_t measure(const FinishView& finish);
  void write(const FinishView& finish, char* out);

 private:
  static constexpr std::size_t kParts = Substitutes::kParts;

  // What a body looks like on record.
  struct BodyPlan {
    std::uint64_t bytes = 0;
    Capture capture = Capture::absent;
    std::string_view reason;
    std::string_view content_type;
    std::string_view content_coding;
    bool coding_undone = false;
  };
  // What a scan over fields noticed for other parts of the record; empty when redacted.
  struct Noticed {
    std::string_view content_type;
    std::string_view content_coding;
    std::string_view traceparent;
  };

  std::size_t measure_all(AccountForm account, const BodyCut& cut);
  // What stands in place of a value that a header rule hides; nothing for a dropped one.
  std::string_view hidden(std::string_view value, RedactionMode mode) const noexcept;
  Noticed scan(std::span<const Field> fields, std::size_t part);
  static BodyPlan plan_body(const BodyView& body, std::uint64_t keep, const BodyCut& cut,
                            const Noticed& noticed);
  void plan_account(AccountForm form);
  void plan_client();
  void plan_trace(std::string_view traceparent);
  std::uint32_t& count(std::size_t part, int rule);

  template <class Sink>
  void describe(Sink& sink);
  template <class Sink>
  void describe_decision(Sink& sink);
  template <class Sink>
  void describe_client(Sink& sink);
  template <class Sink>
  void describe_request(Sink& sink);
  template <class Sink>
  void describe_response(Sink& sink);
  template <class Sink>
  void describe_fields(Sink& sink, std::uint32_t tag, std::span<const Field> fields);
  template <class Sink>
  void describe_timing(Sink& sink);
  template <class Sink>
  void describe_redactions(Sink& sink);

  std::string provenance_;  // encoded once: field and content
  KeyedHash hash_;

  const ExchangeView* exchange_ = nullptr;
  const Redacted* redacted_ = nullptr;  // null: as it came
  const HeaderRules* rules_ = nullptr;
  BodyPlan request_body_, response_body_;
  std::array<char, KeyedHash::kTextLength> hashed_account_{};
  std::string_view account_;
  std::string_view forwarded_for_;
  std::string_view authority_;
  std::array<char, 24> trace_{};  // 16 bytes of trace id, 8 of span id
  std::uint32_t trace_flags_ = 0;
  bool traced_ = false;
  bool account_hashed_ = false;

  std::vector<std::int16_t> verdicts_;  // by field, in the order they are described
  std::size_t next_verdict_ = 0;
  std::vector<std::uint32_t> counts_;   // by part and rule
  std::vector<std::uint32_t> lengths_;  // of submessages
};

}  // namespace segue::recorder
