#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace segue::routing {

// Reads one top-level claim of a JSON Web Token (RFC 7519) without verifying its signature: the
// value only keys records and buckets, it grants nothing. `token` may begin with "Bearer ".
// A string is unescaped; numbers and booleans give their text; null, objects and arrays count as
// absent, and so does any token that is not well-formed up to the claim.
// The view points into `storage`, which is overwritten.
std::optional<std::string_view> read_jwt_claim(std::string_view token, std::string_view claim,
                                               std::string& storage);

}  // namespace segue::routing
