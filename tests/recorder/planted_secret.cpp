#include "tests/recorder/planted_secret.hpp"

#include <brotli/encode.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "recorder/redaction/base64url.hpp"
#include "recorder/redaction/decoded_text.hpp"

namespace segue::test {
namespace {

using recorder::PatternKind;
using recorder::RedactionMode;

std::string gzip(const std::string& text, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string input = text;
  std::string out(deflateBound(&stream, input.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string brotli(const std::string& text) {
  std::size_t size = BrotliEncoderMaxCompressedSize(text.size()) + 64;
  std::string out(size, '\0');
  BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, text.size(),
                        reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                        reinterpret_cast<std::uint8_t*>(out.data()));
  out.resize(size);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

char luhn_digit(std::string_view digits) {
  int sum = 0;
  bool doubled = true;
  for (std::size_t i = digits.size(); i-- > 0; doubled = !doubled) {
    const int digit = digits[i] - '0';
    sum += doubled ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string json_unescaped(std::string_view text) {
  recorder::DecodedText decoded;
  decoded.assign(text);
  decoded.undo_json();
  return std::string(decoded.text());
}

// JSON text as the content of a JSON string.
std::string json_quoted(std::string_view json) {
  std::string out;
  for (const char c : json) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

PlantedSecret::PlantedSecret(std::uint64_t seed) : random_(seed) {
  kind_ = static_cast<Kind>(random_() % 4);
  switch (kind_) {
    case Kind::named:
      secret_ = word(16);
      break;
    case Kind::card:
      secret_ = card();
      break;
    case Kind::email:
      secret_ = word(9) + "@" + word(6) + ".example";
      break;
    case Kind::regex:
      secret_ = "tok_" + word(12);
      break;
  }
  SampleExchange::fill_browser_page(sample_);
  sample_.view.request.head.method = "POST";
  if (flip())
    plant_in_head();
  else
    plant_in_body();
  sample_.connect();
}

recorder::Redactions PlantedSecret::covering_rules(std::mt19937_64& random) {
  const auto mode = [&random] { return static_cast<RedactionMode>(random() % 4); };
  recorder::Redactions rules;
  rules.headers = {{"x-api-key", mode()}};
  rules.query = {{"token", mode()}};
  rules.json = {{"$..password", mode()}, {"$.never[-1]", mode()}};
  rules.form = {{"token", mode()}};
  rules.patterns = {{PatternKind::card, "card", "", mode()},
                    {PatternKind::email, "email", "", mode()},
                    {PatternKind::regex, "tok", "tok_[a-z]+", mode()}};
  return rules;
}

std::string PlantedSecret::word(std::size_t letters) {
  std::string text;
  while (text.size() < letters) text += static_cast<char>('a' + random_() % 26);
  return text;
}

std::string PlantedSecret::card() {
  std::string digits = "4";
  const std::size_t length = 13 + random_() % 7;
  while (digits.size() + 1 < length) digits += static_cast<char>('0' + random_() % 10);
  digits += luhn_digit(digits);
  const auto style = random_() % 3;
  for (std::size_t at = 4; style != 0 && at < digits.size(); at += 5)
    digits.insert(at, 1, style == 1 ? ' ' : '-');
  return digits;
}

std::string PlantedSecret::percent_encoded(std::string_view text) {
  std::string out;
  const bool all = random_() % 3 == 0;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (plain && !all && random_() % 4 != 0)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string PlantedSecret::json_string(std::string_view text) {
  std::string out = "\"";
  const bool escapes = flip();
  for (const char c : text) {
    if (escapes && random_() % 3 == 0)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

// The value somewhere within arrays and objects.
std::string PlantedSecret::json_around(std::string value) {
  for (auto n = random_() % 5; n > 0; --n) {
    if (flip())
      value = fmt::format("[1, {} ,\"x\"]", value);
    else
      value = fmt::format("{{\"a\":null,{}:{},\"z\":[true]}}", json_string(word(3)), value);
  }
  return value;
}

std::string PlantedSecret::named_json() {
  std::string value = json_string(secret_);
  if (flip()) value = json_around(value);
  const std::string name = json_string("password");
  const std::string members[] = {
      fmt::format("{{{}:{}}}", name, value), fmt::format("{{\"b\":1, {} : {} }}", name, value),
      fmt::format("{{{}:1,\"password\":{},\"password\":2}}", name, value),
      fmt::format("{{{}:{},\"after\":[{{}}]}}", name, value)};
  return json_around(members[random_() % std::size(members)]);
}

std::string PlantedSecret::form_body() {
  const std::string name = flip() ? "token" : "%74oke%6e";
  return fmt::format("a=1&{}={}&b=%20+{}", name, percent_encoded(secret_), word(4));
}

std::string PlantedSecret::multipart_body() {
  return fmt::format(
      "--frontier\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--frontier\r\n"
      "content-disposition: form-data; NAME={}\r\n\r\n{}\r\n--frontier--\r\n",
      flip() ? "token" : "\"to\\ken\"", secret_);
}

// In a part that has no type, perhaps not in UTF-8.
std::string PlantedSecret::untyped_part() {
  return fmt::format(
      "--frontier\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\n{} {} x\r\n"
      "--frontier--\r\n",
      flip() ? "Gr\xfc\xdf"
               "e"
             : "hello",
      secret_);
}

std::string PlantedSecret::pattern_body() {
  switch (random_() % 7) {
    case 0:
      return json_around(json_string(word(3) + " " + secret_ + " " + word(3)));
    case 4:
      return fmt::format(
          "Gr\xfc\xdf"
          "e {} {}",
          secret_, word(200));
    case 5:
      return json_around("\"" + json_quoted(json_string(secret_)) + "\"");
    case 1:
      return fmt::format("note=1&text={}", percent_encoded(secret_));
    case 2:
      return fmt::format("<p title='{}'>{}</p>", word(5), secret_);
    case 3:
      return fmt::format("{{\"n\":1}}\n{}\n", json_around(json_string(secret_)));
    default:
      return fmt::format("{} {} {}", word(5), secret_, word(200));
  }
}

void PlantedSecret::plant_in_head() {
  const bool named = kind_ == Kind::named;
  const std::string name = flip() ? "token" : "t%6fken";
  const std::string value = percent_encoded(secret_);
  const std::string url =
      named ? fmt::format("/cb?a=1&{}={}&c=2", name, value)
            : (flip() ? fmt::format("/p/{}/x?b=2", value) : fmt::format("/p?any={}", value));
  const std::string nested = "/go?to=" + percent_encoded("https://x" + url);
  const std::string_view any = sample_.keep(flip() ? url : nested);
  switch (random_() % 6) {
    case 0:
      place_ = "target";
      sample_.view.request.head.target = any;
      break;
    case 1:
      place_ = "Referer";
      sample_.request_fields.push_back({"Referer", any});
      break;
    case 2:
      place_ = "Location";
      sample_.response_fields.push_back({"LOCATION", any});
      break;
    case 3:
      place_ = "header";
      sample_.request_fields.push_back({named ? "X-Api-Key" : "X-Any", secret_});
      sample_.inputs.push_back({named ? "x-api-key" : "x-any", secret_});
      break;
    case 4:
      place_ = "trailer";
      sample_.response_trailers.push_back({named ? "x-API-key" : "x-any", secret_});
      break;
    default:
      place_ = "parameter and account";
      if (!named) {
        sample_.parameters.push_back({"p", secret_});
        sample_.view.account_id = secret_;
      }
      break;
  }
}

void PlantedSecret::plant_in_body() {
  if (kind_ != Kind::named) {
    static constexpr std::string_view kTypes[] = {"", "text/plain", "application/octet-stream",
                                                  "text/html; charset=utf-8", "what/ever"};
    place_ = "pattern in a body";
    if (random_() % 6 == 0)
      return set_body(untyped_part(), "multipart/form-data; boundary=frontier");
    return set_body(pattern_body(), kTypes[random_() % std::size(kTypes)]);
  }
  switch (random_() % 4) {
    case 0: {
      static constexpr std::string_view kTypes[] = {"", "application/json", "text/html",
                                                    "application/problem+json; charset=utf-8",
                                                    "application/x-www-form-urlencoded"};
      place_ = "JSON";
      return set_body(named_json(), kTypes[random_() % std::size(kTypes)]);
    }
    case 1:
      place_ = "JSON lines";
      return set_body("{}\n" + named_json() + "\n", "application/x-ndjson");
    case 2:
      place_ = "form";
      return set_body(form_body(), flip() ? "application/x-www-form-urlencoded" : "");
    default:
      place_ = "multipart";
      return set_body(multipart_body(), "multipart/form-data; boundary=\"frontier\"");
  }
}

std::string PlantedSecret::coded(std::string content, std::string& coding) {
  switch (random_() % 7) {
    case 0:
      coding = "gzip";
      return gzip(content, 31);
    case 1:
      coding = "br";
      return brotli(content);
    case 2:
      coding = "zstd";
      return zstd(content);
    case 3:
      coding = "deflate";
      return gzip(content, flip() ? 15 : -15);
    case 4:
      coding = "gzip, Identity, br";
      return brotli(gzip(content, 31));
    default:
      return content;
  }
}

// In blocks of any length, perhaps cut, perhaps coded.
void PlantedSecret::set_body(std::string content, std::string_view type) {
  std::string coding;
  content = coded(std::move(content), coding);
  const bool request = flip();
  auto& fields = request ? sample_.request_fields : sample_.response_fields;
  auto& blocks = request ? sample_.request_blocks : sample_.response_blocks;
  std::erase_if(fields, [](const Field& field) { return field.name == "Content-Type"; });
  if (!type.empty()) fields.push_back({"content-Type", sample_.keep(std::string(type))});
  if (!coding.empty()) fields.push_back({"Content-Encoding", sample_.keep(coding)});
  place_ += fmt::format(", '{}', '{}'", type, coding);

  BodyView& body = request ? sample_.view.request.body : sample_.view.response.body;
  // In place of a digest: what tells of the secret goes with it.
  body = {{}, content.size(), Capture::complete, {}, secret_};
  if (random_() % 4 == 0) {
    body.capture = Capture::truncated;
    body.reason = "bodies.max";
    content.resize(random_() % content.size());
    place_ += ", cut";
  }
  blocks.clear();
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t length = 1 + random_() % 40;
    blocks.push_back(sample_.keep(content.substr(at, length)));
    at += length;
  }
}

bool PlantedSecret::shows_in(std::string_view bytes) const {
  std::string text(bytes);
  for (int level = 0; level < 4; ++level) {
    if (text.find(secret_) != std::string::npos) return true;
    const std::string unescaped = json_unescaped(text);
    if (unescaped.find(secret_) != std::string::npos) return true;
    if (json_unescaped(unescaped).find(secret_) != std::string::npos) return true;
    text = recorder::percent_decoded(text, recorder::Plus::literal);
  }
  std::string encoded;
  recorder::append_base64url(secret_, encoded);
  return bytes.find(encoded) != std::string_view::npos;
}

}  // namespace segue::test
