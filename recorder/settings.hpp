#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "recorder/journal/segment_pages.hpp"

namespace segue::recorder {

// What happens to an exchange when the journal has no room: answer 503, serve without a record
// (counted), or wait up to `block_timeout` and then refuse.
enum class WhenFull : std::uint8_t { drop, refuse, block };

struct JournalSettings {
  std::filesystem::path directory = "./data/journal";  // created if missing, mode 0700
  std::uint64_t max_bytes = std::uint64_t{2} << 30;    // over all runs
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;  // one mapped file
  std::vector<std::string> consumers;  // none: the journal is a ring
  WhenFull when_full_safe = WhenFull::drop;
  WhenFull when_full_unsafe = WhenFull::refuse;
  std::chrono::milliseconds block_timeout{100};
  std::chrono::milliseconds sync_interval{50};  // durability disk: group syncs begin at most so often
  SegmentPages pages = SegmentPages::automatic;  // for tests and measurements; no YAML key
};

// What an exchange must have reached before the last byte of its response is sent. best_effort: it
// is appended after that, and no intent is made. journal: appended; the process may die. disk:
// synced, intent included; the machine may die. kafka: acknowledged by the broker.
enum class Durability : std::uint8_t { best_effort, journal, disk, kafka };

// `bodies.digest`: what is made of a whole body, also of what is too long to be captured.
enum class BodyDigest : std::uint8_t { none, sha256 };

// What stands on record in place of a value, in the order of strictness: sealed under a key, so that
// `seguectl` can open it; a keyed hash, so that equal values stay equal; a mask; nothing.
enum class RedactionMode : std::uint8_t { encrypt, hash, mask, drop };

// One entry of a list of `redact:`. `name` is a header name, a parameter's name or a JSON path.
struct Redaction {
  std::string name;
  RedactionMode mode = RedactionMode::mask;
};

enum class PatternKind : std::uint8_t { card, email, regex };

// An entry of `redact.patterns`: what is hidden wherever text holds it.
struct PatternRedaction {
  PatternKind kind = PatternKind::card;
  std::string name;   // as the record calls it: "card", "email", or a label of the configuration
  std::string regex;  // RE2 syntax, with PatternKind::regex
  RedactionMode mode = RedactionMode::mask;
};

// `redact:` of one route, after `defaults:` were merged in. docs/redaction.md says what each list
// covers.
struct Redactions {
  std::vector<Redaction> headers{};  // names compare ignoring case; always holds the credentials
  std::vector<Redaction> query{};
  std::vector<Redaction> json{};     // RFC 9535: names, indexes, `*` and `..`
  std::vector<Redaction> form{};
  std::vector<PatternRedaction> patterns{};
};

// `recorder.keys`: files of 64 hexadecimal digits or of 32 raw bytes and more.
struct KeySettings {
  struct File {
    std::string id;
    std::filesystem::path path;
  };
  std::string active;       // id of the key to hash and encrypt with; empty: none
  std::vector<File> files;  // the active key, and former ones for those who read
  std::filesystem::path account;  // empty: `account.key` in the journal's folder, made when missing
};

// `record:` of one route, after `defaults:` were merged in.
struct RecordSettings {
  bool enabled = true;         // `record: none`
  bool bodies = true;          // `bodies: none`
  std::uint64_t body_max_bytes = 1 << 20;
  BodyDigest body_digest = BodyDigest::none;
  Durability durability = Durability::journal;
  std::chrono::milliseconds durability_timeout{5'000};  // disk, kafka: then the client is reset
  bool hash_account = false;   // account ids are stored as HMAC-SHA-256 under the account key
  Redactions redact;
};

// Who records; the same for every exchange of a process.
struct Provenance {
  std::string service;
  std::string instance;
  std::string version;
  std::string config_version;
  std::string config_revision;
};

}  // namespace segue::recorder
