#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/keyed_hash.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

// A secret to hash and encrypt with, and the name that values on record call it by.
struct RedactionKey {
  static constexpr std::size_t kBytes = 32;
  std::string id;  // letters, digits, '-' and '_'
  std::array<unsigned char, kBytes> bytes{};
};

// 64 hexadecimal digits with or without a newline, or 32 raw bytes; of more raw bytes the key is
// their SHA-256. nullopt for anything shorter.
std::optional<std::array<unsigned char, RedactionKey::kBytes>> parse_key_bytes(
    std::string_view content);

// Reads one key. Throws StartupError with one line: not there, no key, or readable by others.
RedactionKey read_key_file(const std::string& id, const std::filesystem::path& path);

// What a gateway writes with.
struct RedactionKeys {
  AccountKey account;
  std::optional<RedactionKey> active;
};

// The keys of a configuration; every file of it is read, so that a former key that is lost is
// noticed at the start. The account key comes from its file, or from `account.key` in the
// journal's folder, which is made there when it is missing. Throws StartupError.
RedactionKeys load_redaction_keys(const KeySettings& settings,
                                  const std::filesystem::path& journal);

// All keys of a configuration, for those who open what was sealed. Throws StartupError.
std::vector<RedactionKey> load_all_keys(const KeySettings& settings);

}  // namespace segue::recorder
