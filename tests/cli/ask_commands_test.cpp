// seguectl as a user runs it, over journals that the recorder wrote.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "recorder/journal/journal.hpp"
#include "recorder/recorder.hpp"
#include "tests/recorder/sample_exchange.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

using recorder::IntentTicket;
using recorder::kUnrouted;

// One life of a gateway that records into a folder.
class Life {
 public:
  explicit Life(const std::filesystem::path& directory)
      : journal_(settings(directory), 1, 64 << 10),
        recorder_(journal_.lane(0), {}, recorder::load_or_make_account_key(directory)) {}

  // A page of the shop with what the caller changes.
  ExchangeId record(std::uint64_t n, const auto& change) {
    SampleExchange sample;
    SampleExchange::fill_browser_page(sample);
    sample.view.id = id_number(n);
    change(sample);
    sample.connect();
    IntentTicket none;
    REQUIRE(recorder_.append(sample.view, kUnrouted, none).has_value());
    return sample.view.id;
  }
  ExchangeId record(std::uint64_t n) {
    return record(n, [](SampleExchange&) {});
  }
  void abort(std::uint64_t n, const ExchangeId& exchange) {
    recorder_.finish({id_number(n), exchange, 1'763'715'601'000'000, Outcome::client_aborted, 0, 99});
  }

 private:
  static recorder::JournalSettings settings(const std::filesystem::path& directory) {
    recorder::JournalSettings settings;
    settings.directory = directory;
    settings.max_bytes = 8 << 20;
    settings.segment_bytes = 1 << 20;
    return settings;
  }

  recorder::Journal journal_;
  recorder::Recorder recorder_;
};

std::string source(const TempDir& folder) { return "journal:" + folder.path().string(); }

CommandResult seguectl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), seguectl_path());
  return run_command(arguments);
}

std::vector<boost::json::object> json_lines(const std::string& text) {
  std::vector<boost::json::object> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(boost::json::parse(text.substr(at, end - at)).as_object());
    at = end + 1;
  }
  return lines;
}

TEST_CASE("cat prints every exchange in order, one JSON object a line") {
  const TempDir folder;
  Life life(folder.path());
  for (std::uint64_t n = 1; n <= 30; ++n) life.record(n);
  const CommandResult result = seguectl({"cat", source(folder), "--output", "json"});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  const auto lines = json_lines(result.out);
  REQUIRE(lines.size() == 30);
  for (std::uint64_t n = 1; n <= 30; ++n)
    CHECK(lines[n - 1].at("id").as_string() == id_number(n).text());
  CHECK(lines[0].at("redacted").as_array().size() == 2);
}

TEST_CASE("filters by route, status, method, account and time add up") {
  const TempDir folder;
  Life life(folder.path());
  life.record(1);
  life.record(2, [](SampleExchange& s) { s.view.response.status = 503; });
  life.record(3, [](SampleExchange& s) { s.view.request.head.method = "POST"; });
  life.record(4, [](SampleExchange& s) { s.view.decision.route = "geo"; });
  life.record(5, [](SampleExchange& s) { s.view.account_id = "somebody"; });
  life.record(6, [](SampleExchange& s) { s.view.created_at += 3'600'000'000; });
  const auto ids = [&](std::vector<std::string> filters) {
    std::vector<std::string> arguments{"cat", source(folder), "-o", "json"};
    arguments.insert(arguments.end(), filters.begin(), filters.end());
    const CommandResult result = seguectl(arguments);
    CHECK(result.exit_code == 0);
    std::string found;
    for (const auto& line : json_lines(result.out))
      found += std::string_view(line.at("id").as_string()).substr(35);
    return found;
  };
  CHECK(ids({"--status", "5xx"}) == "2");
  CHECK(ids({"--status", "200", "--method", "post"}) == "3");
  CHECK(ids({"--route", "geo"}) == "4");
  CHECK(ids({"--account", "somebody"}) == "5");
  CHECK(ids({"--since", "2025-11-21T09:30:00Z"}) == "6");
  CHECK(ids({"--until", "2025-11-21T09:30:00Z", "--limit", "2"}) == "12");
  CHECK(ids({"--kind", "shadow"}).empty());
  CHECK(ids({"--status", "503", "--status", "404"}) == "2");
  // A filter before the source takes its own value only.
  CHECK(seguectl({"cat", "--route", "geo", source(folder)}).exit_code == 0);
}

TEST_CASE("a client that went away after the record turns it to CLIENT_ABORTED") {
  const TempDir folder;
  Life life(folder.path());
  const ExchangeId gone = life.record(1);
  life.record(2);
  life.abort(3, gone);
  for (const char* command : {"cat", "tail"}) {
    const auto lines = json_lines(seguectl({command, source(folder), "-o", "json"}).out);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].at("outcome").as_string() == "CLIENT_ABORTED");
    CHECK(lines[0].at("finish").at("bytes_to_client").to_number<int>() == 99);
    CHECK(lines[1].at("outcome").as_string() == "COMPLETED");
  }
}

TEST_CASE("text output has aligned columns and no colour in a pipe") {
  const TempDir folder;
  Life life(folder.path());
  life.record(1);
  const CommandResult result = seguectl({"cat", source(folder)});
  CHECK(result.out.starts_with("TIME (UTC)"));
  CHECK(result.out.find("2025-11-21 09:00:00.123  200     GET     /searches/42?sort=price&page=3") !=
        std::string::npos);
  CHECK(result.out.find("1.4 ms") != std::string::npos);
  CHECK(result.out.find('\x1b') == std::string::npos);
}

TEST_CASE("tail prints the last ones only") {
  const TempDir folder;
  Life life(folder.path());
  for (std::uint64_t n = 1; n <= 30; ++n) life.record(n);
  const auto lines = json_lines(seguectl({"tail", source(folder), "-n", "2", "-o", "json"}).out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("id").as_string() == id_number(29).text());
}

// Waits until the file has so many lines.
std::string wait_for_lines(const std::filesystem::path& file, std::size_t count) {
  const Deadline deadline;
  for (;;) {
    std::string text = read_whole_file(file);
    if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) >= count) return text;
    REQUIRE(deadline.left() > 0);
    poll(nullptr, 0, 10);  // a file has no event that would say it grew
  }
}

TEST_CASE("tail -f follows into the next life of the gateway and ends by SIGINT with 130") {
  const TempDir folder;
  const TempDir output;
  auto life = std::make_unique<Life>(folder.path());
  const ExchangeId first = life->record(1);
  Process tail({seguectl_path(), "tail", "-f", source(folder), "-o", "json"}, output / "out");
  wait_for_lines(output / "out", 1);
  life->record(2);
  life->abort(3, first);
  wait_for_lines(output / "out", 3);
  life.reset();
  life = std::make_unique<Life>(folder.path());
  life->record(4);
  const auto lines = json_lines(wait_for_lines(output / "out", 4));
  CHECK(lines[2].at("kind").as_string() == "FINISH");
  CHECK(lines[2].at("parent_id").as_string() == first.text());
  CHECK(lines[3].at("id").as_string() == id_number(4).text());
  tail.signal(SIGINT);
  CHECK(tail.wait().exit_code == 130);
}

TEST_CASE("show finds an exchange by its id and by the start of it") {
  const TempDir folder;
  Life life(folder.path());
  const ExchangeId id = life.record(0x1234, [](SampleExchange& s) {
    s.response_fields.push_back({"X-Note", "shown"});
    s.view.response.body.sha256 = "0123456789abcdef0123456789abcdef";
  });
  life.record(0x5678);
  for (const std::string& text : {id.text(), std::string("01000000-0000-7000-0000-0000000012")}) {
    const CommandResult result = seguectl({"show", text, source(folder)});
    CHECK(result.exit_code == 0);
    for (const char* part : {"search-read (/searches/{id})", "GET /searches/42", "X-Note: shown",
                             "HTTP/1.1 200 OK", "header:cookie (mask", "Cookie: ***", "last byte",
                             "  SHA-256      3031323334353637383961626364656630313233"})
      CHECK(result.out.find(part) != std::string::npos);
  }
  CHECK(seguectl({"show", "01000000", source(folder)}).exit_code == 2);
  CHECK(seguectl({"show", "ffffffff", source(folder)}).exit_code == 1);
  CHECK(seguectl({"show", "short", source(folder)}).exit_code == 2);
}

TEST_CASE("show writes HAR and JSON that parse") {
  const TempDir folder;
  Life life(folder.path());
  const std::string id = life.record(7).text();
  const auto har =
      boost::json::parse(seguectl({"show", id, source(folder), "--as", "har"}).out);
  const auto& entry = har.at("log").at("entries").at(0);
  CHECK(har.at("log").at("version").as_string() == "1.2");
  CHECK(entry.at("request").at("url").as_string() ==
        "https://shop.example/searches/42?sort=price&page=3");
  CHECK(entry.at("request").at("queryString").at(1).at("value").as_string() == "3");
  CHECK(entry.at("response").at("content").at("size").to_number<int>() == 620);
  const auto json = json_lines(seguectl({"show", id, source(folder), "--as", "json"}).out);
  REQUIRE(json.size() == 1);
  CHECK(json[0].at("id").as_string() == id);
  const CommandResult curl = seguectl({"show", id, source(folder), "--as", "curl"});
  CHECK(curl.out.find("\ncurl ") != std::string::npos);
}

TEST_CASE("a source that cannot be read is one line and exit 2, or 3 when it is far away") {
  const TempDir folder;
  const std::string nobody = fmt::format("kafka://127.0.0.1:{}/segue", closed_port());
  for (const std::string& bad : {"journal:" + (folder / "absent").string(), nobody,
                                 std::string("archive:data"), std::string("nonsense")}) {
    const CommandResult result = seguectl({"cat", bad});
    CHECK(result.exit_code == (bad == nobody ? 3 : 2));
    CHECK(result.out.empty());
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  }
  CHECK(seguectl({"cat", source(folder), "--status", "many"}).exit_code == 2);
  CHECK(seguectl({}).exit_code == 2);
}

}  // namespace
}  // namespace segue::test
