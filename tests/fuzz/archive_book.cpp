// Any bytes as a claim or a `.done` of an archive: read as what is written again the same, or refused
// with one line that names the object.
#include <cstdint>
#include <string>
#include <string_view>

#include "exchange/ensure.hpp"
#include "warehouse/archive/claim.hpp"
#include "warehouse/storage/object_store.hpp"

namespace {

using namespace segue;
using namespace segue::warehouse;

void refused_well(const StorageError& error, const std::string& key) {
  const std::string_view line = error.what();
  ensure(line.find(key) != std::string_view::npos, "a refusal that names nothing");
  ensure(line.find('\n') == std::string_view::npos, "a refusal of several lines");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Chain chain{"shop", "0"};
  const std::string claimed = claim_key(chain, 7);
  try {
    const Claim claim = parse_claim(claimed, text);
    ensure(claim.end >= claim.start, "a claim that ends before it starts");
    const std::string again = to_json(claim);
    ensure(to_json(parse_claim(claimed, again)) == again, "a claim that changes when written");
  } catch (const StorageError& error) {
    refused_well(error, claimed);
  }
  const std::string finished = done_key(chain, 7);
  try {
    const std::string again = to_json(parse_done(finished, text));
    ensure(to_json(parse_done(finished, again)) == again, "a `.done` that changes when written");
  } catch (const StorageError& error) {
    refused_well(error, finished);
  }
  return 0;
}
