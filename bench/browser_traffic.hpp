#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "recorder/exchange.pb.h"

// What a browser and an API behind it send each other, made up, for benchmarks of the archive.
namespace segue::bench {

// JSON of about so many bytes as an API answers it: it compresses, but not to nothing.
inline std::string document(std::mt19937_64& random, std::size_t bytes) {
  std::string text = fmt::format("{{\"total\":{},\"results\":[", random() % 1'000);
  while (text.size() + 2 < bytes)
    text += fmt::format("{}{{\"id\":{},\"name\":\"{:x}\",\"price\":{}.{:02}}}",
                        text.ends_with('[') ? "" : ",", random() % 1'000'000, random(),
                        random() % 900, random() % 100);
  return text + "]}";
}

// So many header fields, the first one of a session: `salt`.
inline void add_fields(google::protobuf::RepeatedPtrField<v1::Field>& fields, std::size_t count,
                       std::uint64_t salt) {
  for (std::size_t i = 0; i < count; ++i) {
    v1::Field& field = *fields.Add();
    field.set_name(fmt::format("X-Header-Of-A-Browser-{}", i));
    field.set_value(i == 0 ? fmt::format("session={:x}", salt)
                           : "text/html,application/xhtml+xml;q=0.9");
  }
}

}  // namespace segue::bench
