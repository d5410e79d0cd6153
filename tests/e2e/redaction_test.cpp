// A secret is planted wherever a request or a response can hold one. Afterwards nothing that the
// gateway or the tools wrote may hold it: journal, metrics, log, any output of any command.

#include <fmt/format.h>
#include <zlib.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSecret = "sw0rdfish-7731";
constexpr std::string_view kEscaped = "sw0rdfish\\u002d7731";  // in JSON
constexpr std::string_view kEncoded = "sw0rdfish%2D7731";      // in a URL
constexpr std::string_view kCard = "4111 1111 1111 1111";      // passes Luhn's check
constexpr std::string_view kMail = "jane.doe@example.org";

constexpr std::string_view kRedact =
    "{ record: { key: query:account, redact: {"
    " headers: [x-secret, { name: x-dropped, mode: drop }],"
    " query: [token, account],"
    " json: [\"$..password\", \"$.cards[*].cvv\"],"
    " form: [pin],"
    " patterns: [card, email, { regex: \"sw0rd[a-z]+-[0-9]{4}\" }] } } }";

std::string gzip(std::string_view text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in(text);
  std::string out(deflateBound(&stream, in.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string post(std::string_view target, std::string_view type, std::string_view body,
                 std::string_view more_fields = {}) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}", target,
      type, body.size(), more_fields, body);
}

// Every request in which the secret stands somewhere.
std::vector<std::string> planted_requests() {
  const std::string json =
      fmt::format(R"({{"password":"{0}","deep":[{{"password":{{"is":"{1}"}}}}],"password":"{0}",)"
                  R"("cards":[{{"cvv":"{0}"}}],"note":"pay {2} or ask {3}"}})",
                  kSecret, kEscaped, kCard, kMail);
  return {
      fmt::format("GET /a?token={0}&x=1&%74oken={1}&account={0} HTTP/1.1\r\nHost: a\r\n\r\n",
                  kSecret, kEncoded),
      fmt::format("GET /files/{0}/of/{1} HTTP/1.1\r\nHost: a\r\n\r\n", kSecret, kMail),
      fmt::format("GET /a HTTP/1.1\r\nHost: a\r\nX-Secret: {0}\r\nX-Dropped: {0}\r\n"
                  "Authorization: Bearer {0}\r\nCookie: sid={0}\r\nReferer: http://a/b?token={0}\r\n"
                  "X-Note: {1}\r\n\r\n",
                  kSecret, kMail),
      post("/json", "application/json", json),
      post("/json", "application/vnd.shop+json", gzip(json), "Content-Encoding: gzip\r\n"),
      post("/json", "application/json", json.substr(0, json.size() - 1)),  // does not parse
      post("/form", "application/x-www-form-urlencoded",
           fmt::format("a=1&pin={0}&p%69n={1}", kSecret, kEncoded)),
      post("/form", "multipart/form-data; boundary=XX",
           fmt::format("--XX\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n{}\r\n--XX--\r\n",
                       kSecret)),
      post("/text", "text/plain", fmt::format("card {} mail {} word {}", kCard, kMail, kSecret)),
  };
}

// The backend hands everything back: the body as it came, with its type and coding, and places of
// its own.
void echo(BackendConnection& connection) {
  while (const auto request = connection.request()) {
    std::string fields = fmt::format(
        "Set-Cookie: sid={0}\r\nLocation: /next?token={0}\r\nX-Secret: {0}\r\n", kSecret);
    if (const auto type = request->field("content-type"))
      fields += fmt::format("Content-Type: {}\r\n", *type);
    if (const auto coding = request->field("content-encoding"))
      fields += fmt::format("Content-Encoding: {}\r\n", *coding);
    connection.send(response_with(200, request->body, fields));
  }
}

// Whether any of the planted values stands in it.
void check_clean(std::string_view where, std::string_view text) {
  for (const std::string_view planted : {kSecret, kEscaped, kEncoded, kCard, kMail}) {
    INFO(where << ": " << planted);
    CHECK(text.find(planted) == std::string_view::npos);
  }
}

void check_files(const fs::path& folder) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    check_clean(entry.path().filename().string(),
                std::string(std::istreambuf_iterator<char>(file), {}));
    ++files;
  }
  CHECK(files > 0);
}

ConfigText redacting(std::uint16_t backend) {
  ConfigText config;
  config.backend("legacy", backend)
      .route("all", "{ match: { prefix: / }, to: legacy }")
      .route("files", "{ match: { path: \"/files/{name}/of/{owner}\" }, to: legacy }")
      .with("defaults", kRedact);
  return config;
}

TEST_CASE("a planted secret reaches the backend and the client, and nothing that is kept") {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(redacting(backend.port()));
  const auto requests = planted_requests();
  RawClient client(gateway.port());
  for (const auto& request : requests) {
    const auto answer = client.exchange(request);
    CHECK(answer.status() == 200);
    CHECK(answer.field("set-cookie") == fmt::format("sid={}", kSecret));
  }
  const auto received = backend.requests();
  REQUIRE(received.size() == requests.size());
  CHECK(received.front().target().find(kSecret) != std::string::npos);
  CHECK(received[3].body.find(kSecret) != std::string::npos);

  const std::string source = gateway.journal();
  const auto exchanges = recorded(source);
  REQUIRE(exchanges.size() == requests.size());
  check_clean("/metrics", gateway.metrics());
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"cat", source},
           {"cat", source, "--output", "json"},
           {"tail", source, "-n", "100"},
           {"tail", source, "-n", "100", "--output", "json"}}) {
    auto line = command;
    line.insert(line.begin(), seguectl_path());
    const auto result = run_command(line);
    CHECK(result.exit_code == 0);
    check_clean(command.front(), result.out + result.err);
  }
  for (const auto& exchange : exchanges) {
    const std::string id = text_of(exchange.at("id"));
    for (const std::string_view form : {"text", "json", "har", "curl"}) {
      std::vector<std::string> line{seguectl_path(), "show", id, source};
      if (form != "text") line.insert(line.end(), {"--as", std::string(form)});
      const auto result = run_command(line);
      INFO(form << result.err);
      CHECK(result.exit_code == 0);
      check_clean(form, result.out + result.err);
    }
  }
  gateway.stop();
  check_clean("the log", gateway.process().errors());
  check_files(gateway.journal_path());
}

TEST_CASE("a planted secret is not in an intent either") {
  const auto stalled = [](BackendConnection& connection) {
    while (connection.request()) continue;
  };
  ScriptedBackend backend(stalled);
  GatewayProcess gateway(redacting(backend.port()));
  std::size_t sent = 0;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (const auto& request : planted_requests()) {
    clients.push_back(std::make_unique<RawClient>(gateway.port()));
    clients.back()->send(request);
    backend.wait_for_requests(++sent);
  }
  gateway.kill();
  check_files(gateway.journal_path());
  CHECK(recorded(gateway.journal()).size() == 6);  // the POSTs, INTERRUPTED
}

TEST_CASE("what is around a redacted value stays as it was") {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(redacting(backend.port()));
  RawClient client(gateway.port());
  client.get(fmt::format("/a?first=1&token={}&last=%41", kSecret));
  client.exchange(post("/json", "application/json", R"({ "a" : 1e3, "password":"x", "b":"\u0041" })"));
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 2);
  CHECK(text_of(exchanges[0].at("request").as_object().at("target")) ==
        "/a?first=1&token=***&last=%41");
  const auto& body = exchanges[1].at("request").as_object().at("body").as_object();
  CHECK(text_of(body.at("text")) == R"({ "a" : 1e3, "password":"***", "b":"\u0041" })");
}

}  // namespace
}  // namespace segue::test
