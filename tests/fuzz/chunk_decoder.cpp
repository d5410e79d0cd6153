#include "gateway/http1/chunk_decoder.hpp"

#include <algorithm>
#include <string>

#include "exchange/ensure.hpp"

// The first byte says how long the pieces are. Whole and cut input give the same content, the same
// end and the same damage, and content is always a part of the input.
namespace segue::gateway::http1 {
namespace {

struct Decoded {
  std::string content;
  std::string damage;
  ChunkDecoder::State state = ChunkDecoder::State::more;
  std::size_t consumed = 0;

  bool operator==(const Decoded&) const = default;
};

void feed(ChunkDecoder& decoder, std::string_view input, Decoded& result) {
  while (!input.empty() && result.state == ChunkDecoder::State::more) {
    const ChunkDecoder::Step step = decoder.step(input);
    ensure(step.consumed <= input.size(), "more was consumed than given");
    ensure(step.content.empty() ||
               (step.content.data() >= input.data() &&
                step.content.data() + step.content.size() <= input.data() + step.consumed),
           "content is not a part of what was consumed");
    ensure(step.consumed > 0 || step.state != ChunkDecoder::State::more, "a step without progress");
    result.content += step.content;
    result.consumed += step.consumed;
    result.state = step.state;
    input.remove_prefix(step.consumed);
  }
  result.damage = decoder.damage();
}

Decoded decode(std::string_view raw, std::size_t piece) {
  ChunkDecoder decoder(256);
  Decoded result;
  for (std::size_t at = 0; at < raw.size(); at += piece)
    feed(decoder, raw.substr(at, piece), result);
  return result;
}

}  // namespace
}  // namespace segue::gateway::http1

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace segue::gateway::http1;
  if (size < 2) return 0;
  const std::string raw(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Decoded whole = decode(raw, raw.size());
  segue::ensure(whole == decode(raw, 1 + data[0] % 16u), "the result depends on the cut");
  segue::ensure(whole == decode(raw, 1), "the result depends on the cut");
  return 0;
}
