#pragma once

#include <string>

#include "warehouse/storage/location.hpp"

namespace segue::warehouse {

// Who signs. Never in a message, but for `key_id` and `from`.
struct S3Credentials {
  std::string key_id;
  std::string secret;
  std::string session_token;  // empty: a lasting key
  std::string from;           // where they were found, for people: a file or a variable

  bool operator==(const S3Credentials&) const = default;
};

// Reads them as S3Settings says, anew each time: those of a session are replaced by others. Throws
// StorageError.
S3Credentials find_credentials(const S3Settings& settings);

}  // namespace segue::warehouse
