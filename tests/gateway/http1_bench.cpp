#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "gateway/http1/forward.hpp"
#include "gateway/http1/head_parser.hpp"

// Nanoseconds to parse and to forward a head: the best of several rounds, for the machine is
// shared and only delays can be added to the true cost.
namespace segue::gateway::http1 {
namespace {

constexpr std::string_view kSmall =
    "GET /api/items/42 HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\nX-A: 12345\r\n\r\n";

constexpr std::string_view kBrowser =
    "GET /searches/42?page=2&sort=price HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"130\", \"Not=A?Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: de-DE,de;q=0.9,en;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n";

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nServer: apache\r\n"
    "Content-Type: application/json\r\nContent-Length: 200\r\nConnection: keep-alive\r\n\r\n";

constexpr ForwardSettings kSettings{
    .via = "segue", .client_address = "192.0.2.1", .scheme = "http"};

template <class Work>
double best_nanoseconds(Work&& work) {
  constexpr int kRounds = 15;
  constexpr int kTurns = 100'000;
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int turn = 0; turn < kTurns; ++turn) work();
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count() / kTurns);
  }
  return best;
}

void measure_request(const char* name, std::string_view text) {
  const std::string raw(text);
  RequestParser parser({});
  std::size_t sum = 0;
  const double parsing = best_nanoseconds([&] {
    parser.reset();
    if (parser.parse(raw) == ParseState::done) sum += parser.head().fields.size();
  });
  Gather gather;
  const double writing = best_nanoseconds([&] {
    gather.clear();
    write_request_head(parser.head(), parser.head().target, parser.head().authority,
                       parser.head().framing, kSettings, gather);
    sum += gather.pieces().size();
  });
  fmt::print("{:<8} {:4} bytes, {:2} fields: parse {:6.1f} ns, forward {:6.1f} ns   ({})\n", name,
             raw.size(), parser.head().fields.size(), parsing, writing, sum);
}

void measure_response() {
  const std::string raw(kAnswer);
  ResponseParser parser({});
  std::size_t sum = 0;
  const double parsing = best_nanoseconds([&] {
    parser.reset();
    if (parser.parse(raw, "GET") == ParseState::done) sum += parser.head().fields.size();
  });
  Gather gather;
  const double writing = best_nanoseconds([&] {
    gather.clear();
    write_response_head(parser.head(), {.via = "segue", .framing = Framing::length}, gather);
    sum += gather.pieces().size();
  });
  fmt::print("{:<8} {:4} bytes, {:2} fields: parse {:6.1f} ns, forward {:6.1f} ns   ({})\n",
             "answer", raw.size(), parser.head().fields.size(), parsing, writing, sum);
}

}  // namespace
}  // namespace segue::gateway::http1

int main() {
  using namespace segue::gateway::http1;
  measure_request("small", kSmall);
  measure_request("browser", kBrowser);
  measure_response();
  return 0;
}
