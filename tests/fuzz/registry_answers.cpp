// What stands where a schema registry should: a status, by the first byte, and any bytes as its body.
// Whatever becomes of it is said in one line of bounded length, and nothing is taken for good that
// lacks what it should have.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exchange/ensure.hpp"
#include "kafka/registry_answers.hpp"

namespace {

using namespace segue;
using Kind = kafka::RegistryAnswer::Kind;

constexpr std::array<long, 10> kStatuses{200, 201, 0, 301, 401, 404, 409, 422, 429, 500};
constexpr std::size_t kLongestLine = 1'000;

void said_well(const kafka::RegistryAnswer& answer) {
  ensure((answer.kind == Kind::ok) == answer.detail.empty(), "what went wrong is said, and only that");
  ensure(answer.detail.size() < kLongestLine, "a line is no page");
  for (const char c : answer.detail)
    ensure(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a line holds no control characters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  kafka::RestAnswer answer;
  answer.status = kStatuses[data[0] % kStatuses.size()];
  answer.body = std::string(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (answer.status == 0) answer.failure = "no connection";
  const std::string url = "http://registry:8081";
  const bool good = answer.good();

  const auto id = kafka::read_id(url, answer);
  said_well(id);
  ensure(id.kind != Kind::ok || (good && id.schema_id > 0), "an id is one");
  const auto verdict = kafka::read_verdict(url, "shop-value", answer);
  said_well(verdict);
  ensure(verdict.kind != Kind::ok || good || answer.status == 404, "a verdict is a good answer's");
  const auto latest = kafka::read_latest(url, answer);
  said_well(latest.answer);
  ensure(latest.answer.kind == id.kind, "the latest schema has an id");
  ensure(latest.answer.kind != Kind::ok || !latest.type.empty(), "a schema is of a kind");
  const auto by_id = kafka::read_by_id(url, 7, answer);
  said_well(by_id.answer);
  ensure((by_id.answer.kind == Kind::ok) == good, "a good answer is one");
  return 0;
}
