#include "tests/recorder/sample_exchange.hpp"

namespace segue::test {
namespace {

std::string random_octets(std::mt19937_64& random, std::size_t most) {
  std::string text(random() % (most + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// Mostly ASCII, as in life; now and then any octets.
std::string random_text(std::mt19937_64& random, std::size_t most) {
  std::string text = random_octets(random, most);
  if (random() % 4 == 0) return text;
  for (char& c : text) c = static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
  return text;
}

std::vector<Field> random_fields(SampleExchange& sample, std::mt19937_64& random) {
  static constexpr std::string_view kNames[] = {"Cookie", "authorization", "X-Secret", "accept",
                                                "content-type", "Content-Encoding", "traceparent"};
  std::vector<Field> fields(random() % 12);
  for (Field& field : fields) {
    field.name = random() % 2 == 0 ? kNames[random() % std::size(kNames)]
                                   : sample.keep(random_text(random, 60));
    field.value = sample.keep(random_text(random, 300));
  }
  return fields;
}

BodyView random_body(SampleExchange& sample, std::vector<std::string_view>& blocks,
                     std::mt19937_64& random) {
  BodyView body;
  body.capture = static_cast<Capture>(1 + random() % 4);
  body.size = random() % (std::uint64_t{1} << (random() % 50));
  body.reason = random() % 2 == 0 ? "" : sample.keep(random_text(random, 20));
  if (random() % 2 == 0) body.sha256 = sample.keep(random_octets(random, 40));
  if (body.capture != Capture::complete && body.capture != Capture::truncated) return body;
  for (auto n = random() % 4; n > 0; --n)
    blocks.push_back(sample.keep(random_octets(random, 3000)));
  return body;
}

std::int64_t random_moment(std::mt19937_64& random) {
  return random() % 3 == 0 ? Timing::kNever : static_cast<std::int64_t>(random() % 10'000'000);
}

}  // namespace

ExchangeId id_number(std::uint64_t n) {
  std::array<std::uint8_t, ExchangeId::kBytes> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
  bytes[6] = 0x70;
  bytes[0] = 0x01;
  return ExchangeId{bytes};
}

void SampleExchange::connect() {
  view.request.head.fields = request_fields;
  view.request.trailers = request_trailers;
  view.request.body.blocks = request_blocks;
  view.response.fields = response_fields;
  view.response.trailers = response_trailers;
  view.response.body.blocks = response_blocks;
  view.response.interim = interim;
  view.decision.inputs = inputs;
  view.decision.parameters = parameters;
  view.attempts = attempts;
}

void SampleExchange::fill_browser_page(SampleExchange& s) {
  s.view.id = id_number(1);
  s.view.created_at = 1'763'715'600'123'456;
  s.view.decision.route = "search-read";
  s.view.decision.path_template = "/searches/{id}";
  s.view.decision.backend = "legacy";
  s.view.decision.endpoint = "10.0.0.1:80";
  s.view.decision.role = "legacy";
  s.view.decision.bucket = 4711;
  s.parameters = {{"id", "42"}};
  s.view.account_id = "user-20931";
  s.view.client.address = "192.0.2.1:40112";
  s.view.request.head = {"GET", "https", "shop.example", "/searches/42?sort=price&page=3", {}};
  s.request_fields = {
      {"Host", "shop.example"},
      {"User-Agent",
       "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
      {"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
      {"Accept-Language", "en-GB,en;q=0.7,nl-BE;q=0.3"},
      {"Accept-Encoding", "gzip, deflate, br, zstd"},
      {"Referer", "https://shop.example/searches?color=red&size=42"},
      {"Cookie", "uid=user-20931; session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; consent=all; ab=17"},
      {"Connection", "keep-alive"},
      {"Sec-Fetch-Dest", "document"},
      {"Sec-Fetch-Mode", "navigate"},
      {"Sec-Fetch-Site", "same-origin"},
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"X-Request-Id", "7d1c8a54-6a45-4bd0-9c8f-52f0b0a3a2c1"}};
  s.view.response.status = 200;
  s.view.response.reason = "OK";
  s.response_fields = {
      {"Server", "Apache/2.4.62 (Debian)"},
      {"Date", "Fri, 21 Nov 2025 09:00:00 GMT"},
      {"Content-Type", "application/json; charset=utf-8"},
      {"Content-Length", "620"},
      {"Cache-Control", "private, max-age=0, must-revalidate"},
      {"Vary", "Accept-Encoding, Cookie"},
      {"Set-Cookie", "session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; Path=/; HttpOnly; Secure"},
      {"Strict-Transport-Security", "max-age=63072000; includeSubDomains"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Powered-By", "PHP/8.2.20"}};
  s.response_blocks = {s.keep(std::string(620, 'x'))};
  s.view.response.body = {{}, 620, Capture::complete, {}};
  s.view.timing = {.connect = 0, .request_sent = 40, .first_byte = 1200, .last_byte = 1400};
  s.attempts = {{"10.0.0.1:80", "", 12}};
  s.connect();
}

void SampleExchange::fill_random(SampleExchange& s, std::mt19937_64& random) {
  const auto text = [&](std::size_t most) { return s.keep(random_text(random, most)); };
  ExchangeView& v = s.view;
  v.id = id_number(random());
  v.created_at = static_cast<std::int64_t>(random() >> 12);
  v.kind = static_cast<Kind>(1 + random() % 6);
  if (random() % 2 == 0) v.parent_id = id_number(random());
  v.outcome = static_cast<Outcome>(1 + random() % 7);
  v.refusal = text(20);
  v.decision.route = text(30);
  v.decision.path_template = text(40);
  v.decision.backend = text(10);
  v.decision.fallback_from = text(10);
  v.decision.endpoint = text(20);
  v.decision.role = text(10);
  v.decision.bucket = static_cast<std::int32_t>(random() % 10'001) - 1;
  for (auto n = random() % 4; n > 0; --n) s.parameters.push_back({text(10), text(200)});
  s.inputs = random_fields(s, random);
  v.account_id = text(150);
  v.client = {text(20), text(60), text(8), text(30), text(8)};
  v.request.head = {text(8), text(6), text(40), text(400), {}};
  v.request.version_minor = static_cast<std::uint8_t>(random() % 2);
  s.request_fields = random_fields(s, random);
  s.request_trailers = random_fields(s, random);
  v.request.body = random_body(s, s.request_blocks, random);
  v.response.status = static_cast<std::uint16_t>(random() % 3 == 0 ? 0 : 200 + random() % 400);
  v.response.reason = text(20);
  for (auto n = random() % 3; n > 0; --n)
    s.interim.push_back(static_cast<std::uint16_t>(100 + random() % 100));
  s.response_fields = random_fields(s, random);
  s.response_trailers = random_fields(s, random);
  v.response.body = random_body(s, s.response_blocks, random);
  v.timing = {random_moment(random), random_moment(random), random_moment(random),
              random_moment(random), random_moment(random)};
  for (auto n = random() % 3; n > 0; --n)
    s.attempts.push_back({text(20), text(60), static_cast<std::int64_t>(random() % 1'000'000)});
  s.connect();
}

}  // namespace segue::test
