// What an S3 server says in XML: any octets are an answer or none.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exchange/ensure.hpp"
#include "warehouse/storage/s3_answers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace segue;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  warehouse::parse_complaint(text);
  warehouse::parse_upload_id(text);
  const auto listing = warehouse::parse_listing(text);
  if (listing)
    for (const auto& object : listing->objects) ensure(!object.key.empty(), "a key is a key");
  return 0;
}
