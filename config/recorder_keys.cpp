#include <algorithm>
#include <utility>

#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using recorder::BodyDigest;
using recorder::Durability;
using recorder::JournalSettings;
using recorder::WhenFull;
using routing::KeySource;

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr std::size_t kMaxConsumers = 16;

Keys<JournalSettings> journal_keys() {
  const Choice<WhenFull> policies{
      {{"drop", WhenFull::drop}, {"refuse", WhenFull::refuse}, {"block", WhenFull::block}}};
  return {
      key<JournalSettings>("dir", &JournalSettings::directory, File{},
                           "folder of the journal; created if missing, readable by its owner only"),
      key<JournalSettings>("max_size", &JournalSettings::max_bytes, Size{kMiB, 1024 * kTiB},
                           "of all segments on disk"),
      key<JournalSettings>("segment", &JournalSettings::segment_bytes, Size{64 * kKiB, 4096 * kMiB},
                           "of one mapped file"),
      key<JournalSettings>("consumers", &JournalSettings::consumers, List<Text>{{}, kMaxConsumers},
                           "segments are kept until all of these have read them; with none the "
                           "journal is a ring"),
      group<JournalSettings>(
          "when_full",
          {key<JournalSettings>("safe", &JournalSettings::when_full_safe, policies,
                                "safe methods when there is no room: serve without a record "
                                "(counted), answer 503, or wait"),
           key<JournalSettings>("unsafe", &JournalSettings::when_full_unsafe, policies,
                                "the same for unsafe methods")}),
      key<JournalSettings>("block_timeout", &JournalSettings::block_timeout,
                           Duration{milliseconds{0}, std::chrono::minutes{1}},
                           "how long `block` waits before it refuses"),
      key<JournalSettings>("sync_interval", &JournalSettings::sync_interval,
                           Duration{milliseconds{0}, std::chrono::minutes{1}},
                           "`durability: disk`: the journal is synced for all who wait, at most "
                           "once in this time"),
  };
}

void read_account_key(const Place& place, Context& context, RouteSettings& route) {
  constexpr std::string_view kExpected =
      "header:NAME, cookie:NAME, query:NAME, path:NAME, jwt:HEADER/CLAIM or peer";
  const auto text = read_text(place, context, kExpected);
  if (!text) return;
  if (auto source = KeySource::parse(*text))
    route.rule.account = std::move(*source);
  else
    refuse_value(place, context, kExpected);
}

const Keys<RouteSettings>& body_keys() {
  const Choice<BodyDigest> digests{{{"none", BodyDigest::none}, {"sha256", BodyDigest::sha256}}};
  static const Keys<RouteSettings> keys{
      key<RouteSettings>(
          "max", [](RouteSettings& r) -> auto& { return r.record.body_max_bytes; },
          Size{0, 1024 * kMiB}, "of a body on record; what is longer is cut and marked so"),
      key<RouteSettings>(
          "digest", [](RouteSettings& r) -> auto& { return r.record.body_digest; }, digests,
          "a digest on record of every whole body in which no redaction rule may hide something, "
          "also of what is longer than `max`"),
  };
  return keys;
}

void read_bodies(const Place& place, Context& context, RouteSettings& route) {
  if (place.node.kind == yaml::Kind::scalar && place.node.text == "none")
    route.record.bodies = false;
  else if (place.node.kind == yaml::Kind::map)
    read_map(place, body_keys(), context, route);
  else
    refuse_type(place, context, "a map or none");
}

Key<RouteSettings> bodies_key() {
  return {"bodies", read_bodies,
          [](const std::string& path, const RouteSettings& defaults, std::vector<KeyRow>& rows) {
            rows.push_back({path, "map, or none", "", "`none` records no bodies"});
            document_keys(path, body_keys(), defaults, rows);
          }};
}

const Keys<RouteSettings>& record_keys() {
  const Choice<Durability> durabilities{{{"best-effort", Durability::best_effort},
                                         {"journal", Durability::journal},
                                         {"disk", Durability::disk},
                                         {"kafka", Durability::kafka}}};
  const Choice<bool> key_modes{{{"plain", false}, {"hash", true}}};
  static const Keys<RouteSettings> keys{
      special_key<RouteSettings>("key",
                                 "header:N, cookie:N, query:N, path:N, jwt:HEADER/CLAIM, peer", "",
                                 "where the account id is read", read_account_key),
      key<RouteSettings>(
          "key_mode", [](RouteSettings& r) -> auto& { return r.record.hash_account; }, key_modes,
          "whether the account id is stored as it is or as a keyed hash",
          "hash when the key's header or query parameter is redacted (cookies are), else plain"),
      bodies_key(),
      key<RouteSettings>(
          "durability", [](RouteSettings& r) -> auto& { return r.record.durability; },
          durabilities,
          "where an exchange is before the last byte of its response leaves: nowhere yet, in the "
          "journal (survives the process), on the disk (survives the machine), in Kafka"),
      key<RouteSettings>(
          "durability_timeout",
          [](RouteSettings& r) -> auto& { return r.record.durability_timeout; },
          Duration{milliseconds{1}, std::chrono::minutes{10}},
          "how long `disk` and `kafka` wait before the connection is reset instead"),
      redact_key(),
  };
  return keys;
}

}  // namespace

Keys<Settings> recorder_keys() {
  return {
      section<Settings>("journal", &Settings::journal, journal_keys()),
      key<Settings>("capture_memory", &Settings::capture_memory, Size{kMiB, kTiB},
                    "memory of the process for bodies that are being recorded"),
      kafka_key(),
      keys_key(),
  };
}

Key<RouteSettings> record_key() {
  return {"record",
          [](const Place& place, Context& context, RouteSettings& route) {
            if (place.node.kind == yaml::Kind::scalar && place.node.text == "none")
              route.record.enabled = false;
            else if (place.node.kind == yaml::Kind::map)
              read_map(place, record_keys(), context, route);
            else
              refuse_type(place, context, "a map or none");
          },
          [](const std::string& path, const RouteSettings& defaults, std::vector<KeyRow>& rows) {
            rows.push_back({path, "map, or none", "", "`none` records nothing of this route"});
            document_keys(path, record_keys(), defaults, rows);
          }};
}

void finish_record(const Place& place, RouteSettings& route) {
  finish_redactions(route.record);
  const yaml::Entry* entry = place.node.find("record");
  if (entry != nullptr && entry->value.find("key_mode") != nullptr) return;
  route.record.hash_account = hides_account(route.record, route.rule.account);
}

}  // namespace segue::config
