#include "warehouse/archive/claim.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr int kFormatVersion = 1;
constexpr std::uint64_t kEndOfOffsets = 1ULL << 63;  // columns hold them as BIGINT

json::object facts_to_json(const FileFacts& facts) {
  return {{"rows", facts.rows},
          {"bytes", facts.bytes},
          {"sha256", facts.sha256},
          {"failures", facts.failures},
          {"finishes", facts.finishes},
          {"redelivered", facts.redelivered},
          {"min_created_at", facts.min_created_at},
          {"max_created_at", facts.max_created_at}};
}

// Reads one object of the archive's books; what is amiss throws with the object's key.
class Record {
 public:
  Record(const std::string& key, std::string_view text) : key_(key) {
    boost::system::error_code error;
    value_ = json::parse(text, error);
    if (error || !value_.is_object()) wrong("it is no JSON object");
    if (number("format_version") != kFormatVersion)
      wrong("another version of segue wrote it; use that one, or a newer one");
  }

  std::uint64_t number(const char* name) const { return number(value_.get_object(), name); }
  std::string text(const char* name) const { return text(value_.get_object(), name); }

  FileFacts facts() const {
    const json::value* const found = value_.get_object().if_contains("file");
    if (found == nullptr || !found->is_object()) wrong("it has no object `file`");
    const json::object& object = found->get_object();
    return {.rows = number(object, "rows"),
            .bytes = number(object, "bytes"),
            .sha256 = text(object, "sha256"),
            .failures = number(object, "failures"),
            .finishes = number(object, "finishes"),
            .redelivered = number(object, "redelivered"),
            .min_created_at = static_cast<std::int64_t>(number(object, "min_created_at")),
            .max_created_at = static_cast<std::int64_t>(number(object, "max_created_at"))};
  }

  [[noreturn]] void wrong(std::string_view what) const {
    const char* const remedy =
        key_.ends_with(".done")
            ? "remove it and checkpoint.json beside it, and `seguectl archive` writes it again"
            : "put a copy back; if it has neither `.done` nor a file, remove it, and its records are "
              "archived again";
    throw StorageError(fmt::format("{}: {}: {}", key_, what, remedy));
  }

 private:
  std::uint64_t number(const json::object& object, const char* name) const {
    const json::value* const found = object.if_contains(name);
    boost::system::error_code error;
    const auto value =
        found == nullptr ? std::uint64_t{0} : found->to_number<std::uint64_t>(error);
    if (found == nullptr || error) wrong(fmt::format("it has no number `{}`", name));
    return value;
  }

  std::string text(const json::object& object, const char* name) const {
    const json::value* const found = object.if_contains(name);
    if (found == nullptr || !found->is_string()) wrong(fmt::format("it has no text `{}`", name));
    return std::string(found->get_string());
  }

  const std::string& key_;
  json::value value_;
};

}  // namespace

std::string to_json(const Claim& claim) {
  json::object object{{"format_version", kFormatVersion},
                      {"topic", claim.chain.topic},
                      {"partition", claim.chain.partition},
                      {"start", claim.start},
                      {"end", claim.end},
                      {"kind", claim.kind == Claim::Kind::rows ? "rows" : "lost"},
                      {"dt", text_of(claim.day)},
                      {"file", facts_to_json(claim.file)},
                      {"reason", claim.reason},
                      {"encoder", claim.encoder},
                      {"writer", claim.writer},
                      {"claimed_at", claim.claimed_at}};
  return json::serialize(object);
}

std::string to_json(const Done& done) {
  json::object object{{"format_version", kFormatVersion}, {"path", done.path},
                      {"file", facts_to_json(done.file)}, {"done_at", done.done_at},
                      {"forgotten", done.forgotten}};
  return json::serialize(object);
}

Claim parse_claim(const std::string& key, std::string_view text) {
  const Record record(key, text);
  Claim claim;
  claim.chain = {record.text("topic"), record.text("partition")};
  claim.start = record.number("start");
  claim.end = record.number("end");
  if (claim.end < claim.start) record.wrong("its end is before its start");
  if (claim.end >= kEndOfOffsets) record.wrong("its end is no offset");
  if (claim_key(claim.chain, claim.start) != key) record.wrong("it is the claim of another place");
  const std::string kind = record.text("kind");
  if (kind != "rows" && kind != "lost") record.wrong("its kind is neither rows nor lost");
  claim.kind = kind == "rows" ? Claim::Kind::rows : Claim::Kind::lost;
  const auto day = parse_day(record.text("dt"));
  if (!day) record.wrong("its dt is no day");
  claim.day = *day;
  claim.file = record.facts();
  claim.reason = record.text("reason");
  claim.encoder = record.text("encoder");
  claim.writer = record.text("writer");
  claim.claimed_at = static_cast<std::int64_t>(record.number("claimed_at"));
  return claim;
}

Done parse_done(const std::string& key, std::string_view text) {
  const Record record(key, text);
  return {.path = record.text("path"),
          .file = record.facts(),
          .done_at = static_cast<std::int64_t>(record.number("done_at")),
          .forgotten = record.number("forgotten")};
}

}  // namespace segue::warehouse
