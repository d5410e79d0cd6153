#include <catch2/catch_test_macros.hpp>
#include <string>

#include "gateway/http1/chunk_decoder.hpp"
#include "tests/gateway/http1_cases.hpp"

namespace segue::gateway::http1 {
namespace {

struct Decoded {
  std::string content;
  std::string damage;
  ChunkDecoder::State state = ChunkDecoder::State::more;
  std::size_t consumed = 0;
};

void feed(ChunkDecoder& decoder, std::string_view input, Decoded& result) {
  while (!input.empty() && result.state == ChunkDecoder::State::more) {
    const ChunkDecoder::Step step = decoder.step(input);
    result.content += step.content;
    result.consumed += step.consumed;
    result.state = step.state;
    input.remove_prefix(step.consumed);
    if (step.consumed == 0) break;
  }
  result.damage = decoder.damage();
}

Decoded decode(std::string_view raw, std::size_t piece) {
  ChunkDecoder decoder;
  Decoded result;
  for (std::size_t at = 0; at < raw.size(); at += piece)
    feed(decoder, raw.substr(at, piece), result);
  return result;
}

Decoded decode_cut(std::string_view raw, std::size_t cut) {
  ChunkDecoder decoder;
  Decoded result;
  feed(decoder, raw.substr(0, cut), result);
  feed(decoder, raw.substr(cut), result);
  return result;
}

void check(const ChunkCase& row, const Decoded& result) {
  CHECK(result.damage == row.damage);
  if (!row.damage.empty()) {
    CHECK(result.state == ChunkDecoder::State::damaged);
    return;
  }
  CHECK(result.state == ChunkDecoder::State::done);
  CHECK(result.content == row.content);
  CHECK(result.consumed == row.raw.size());
}

}  // namespace

TEST_CASE("every chunked body of the corpus decodes the same way however it is cut") {
  for (const ChunkCase& row : chunk_cases()) {
    INFO(row.name);
    check(row, decode(row.raw, row.raw.size()));
    check(row, decode(row.raw, 1));
    const std::size_t step = 1 + row.raw.size() / 4096;  // of the longest not every place
    for (std::size_t cut = 1; cut < row.raw.size(); cut += step) {
      INFO(cut);
      check(row, decode_cut(row.raw, cut));
    }
  }
}

TEST_CASE("content is handed out without a copy") {
  ChunkDecoder decoder;
  const std::string_view raw = "5\r\nhello\r\n0\r\n\r\n";
  const ChunkDecoder::Step step = decoder.step(raw);
  CHECK(step.content.data() == raw.data() + 3);
  CHECK(step.consumed == 8);
}

TEST_CASE("what follows the body is left alone") {
  ChunkDecoder decoder;
  Decoded result;
  feed(decoder, "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", result);
  CHECK(result.state == ChunkDecoder::State::done);
  CHECK(result.consumed == 11);
  CHECK(decoder.step("more").consumed == 0);
  CHECK(decoder.step("more").state == ChunkDecoder::State::done);
}

TEST_CASE("a body that stops early is never done") {
  for (const ChunkCase& row : chunk_cases()) {
    if (!row.damage.empty()) continue;
    for (std::size_t size = 0; size < row.raw.size(); ++size) {
      INFO(row.name << ' ' << size);
      REQUIRE(decode(row.raw.substr(0, size), 1000).state == ChunkDecoder::State::more);
    }
  }
}

TEST_CASE("extensions are capped over the whole body") {
  ChunkDecoder decoder;
  std::string body;
  for (int i = 0; i < 600; ++i) body += "1;extension=1234\r\na\r\n";
  Decoded result;
  feed(decoder, body, result);
  CHECK(result.damage == "chunk_extensions_too_long");
  CHECK(result.consumed < (16 << 10));
}

TEST_CASE("trailers are capped") {
  ChunkDecoder decoder(100);
  Decoded fits;
  feed(decoder, "0\r\nX: " + std::string(90, 'x') + "\r\n\r\n", fits);
  CHECK(fits.state == ChunkDecoder::State::done);
  decoder.reset();
  Decoded too_long;
  feed(decoder, "0\r\nX: " + std::string(98, 'x') + "\r\n\r\n", too_long);
  CHECK(too_long.damage == "trailers_too_long");
}

TEST_CASE("damage stays") {
  ChunkDecoder decoder;
  Decoded result;
  feed(decoder, "x", result);
  CHECK(decoder.step("0\r\n\r\n").state == ChunkDecoder::State::damaged);
  decoder.reset();
  CHECK(decoder.step("0\r\n\r\n").state == ChunkDecoder::State::done);
}

TEST_CASE("the largest size is taken at its word and counted down") {
  ChunkDecoder decoder;
  const ChunkDecoder::Step step = decoder.step("7fffffffffffffff\r\nabc");
  CHECK(step.content == "abc");
  CHECK(step.state == ChunkDecoder::State::more);
}

}  // namespace segue::gateway::http1
