// seguectl opening encrypted values, over a journal that the recorder wrote with a key.
#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "recorder/journal/journal.hpp"
#include "recorder/recorder.hpp"
#include "recorder/redaction/keys.hpp"
#include "tests/recorder/sample_exchange.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

using recorder::RedactionMode;

constexpr std::string_view kBody =
    R"({"card":{"number":4111111111111111,"holder":"Jos\u00e9"},"note":"kept"})";

// A journal with one exchange in which key k1 has sealed a header value and a JSON object, and
// the keys that open it or do not.
class SealedJournal {
 public:
  SealedJournal() {
    write_key("k1", '1');
    write_key("wrong", '2');
    folder_.write("empty.yaml", "version: 1\n");
    recorder::JournalSettings settings;
    settings.directory = folder_ / "journal";
    settings.max_bytes = 8 << 20;
    settings.segment_bytes = 1 << 20;
    std::filesystem::create_directory(settings.directory);
    recorder::Journal journal(settings, 1, 64 << 10);
    recorder::RecorderSettings recording;
    recording.key = recorder::read_key_file("k1", folder_ / "k1");
    recording.unrouted.redact = {.headers = {{"x-api-key", RedactionMode::encrypt}},
                                 .json = {{"$.card", RedactionMode::encrypt}}};
    recorder::Recorder recorder(journal.lane(0), recording,
                                recorder::load_or_make_account_key(settings.directory));
    SampleExchange sample;
    SampleExchange::fill_browser_page(sample);
    sample.view.id = id_number(1);
    std::erase_if(sample.response_fields, [](const Field& field) {
      return std::ranges::equal(field.name, std::string_view("content-type"),
                                [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    });
    sample.response_fields.push_back({"Content-Type", "application/json"});
    sample.response_fields.push_back({"X-Api-Key", "s3cret"});
    sample.response_blocks = {kBody};
    sample.view.response.body.size = kBody.size();
    sample.connect();
    recorder::IntentTicket none;
    REQUIRE(recorder.append(sample.view, recorder::kUnrouted, none).has_value());
  }

  std::string key(const std::string& id, const std::string& file) const {
    return id + "=" + (folder_ / file).string();
  }
  std::string configuration(const std::string& name, const std::string& recorder) const {
    return folder_
        .write(name,
               "version: 1\n"
               "listeners: { l: { address: '127.0.0.1:0' } }\n"
               "backends: { b: { endpoints: ['127.0.0.1:9'] } }\n"
               "routes: { all: { match: {}, to: b } }\n"
               "defaults: { record: { redact: { headers: [cookie] } } }\n"
               "recorder: { " +
                   recorder + " }\n")
        .string();
  }

  CommandResult seguectl(const std::string& command, std::vector<std::string> options) const {
    std::vector<std::string> arguments{seguectl_path(), command,
                                       "journal:" + (folder_ / "journal").string(), "-o", "json"};
    if (command == "show")
      arguments = {seguectl_path(),
                   command,
                   id_number(1).text(),
                   "journal:" + (folder_ / "journal").string(),
                   "--as",
                   "json"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_command(arguments);
  }

 private:
  void write_key(const std::string& name, char digit) {
    const std::filesystem::path path = folder_.write(name, std::string(64, digit) + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  }

  TempDir folder_;
};

// The response's body as the command printed it.
std::string body_of(const CommandResult& result) {
  const boost::json::value exchange = boost::json::parse(result.out);
  return std::string(exchange.at("response").at("body").at("text").as_string());
}

bool is_one_line(const std::string& text) {
  return text.ends_with('\n') && std::ranges::count(text, '\n') == 1;
}

TEST_CASE("encrypted values stay sealed for those who do not ask") {
  const SealedJournal journal;
  for (const char* command : {"cat", "tail", "show"}) {
    INFO(command);
    const CommandResult result = journal.seguectl(command, {});
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
    CHECK(body_of(result).starts_with(R"({"card":"e:k1:)"));
    CHECK(result.out.find("s3cret") == std::string::npos);
    CHECK(result.out.find("4111111111111111") == std::string::npos);
  }
}

TEST_CASE("the key opens header values and puts JSON back as it stood") {
  const SealedJournal journal;
  for (const char* command : {"cat", "tail", "show"}) {
    INFO(command);
    const CommandResult result = journal.seguectl(command, {"--key", journal.key("k1", "k1")});
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
    CHECK(body_of(result) == kBody);
    CHECK(result.out.find("s3cret") != std::string::npos);
    CHECK(result.out.find("e:k1:") == std::string::npos);
    CHECK(result.out.find("json:$.card") == std::string::npos);
  }
}

TEST_CASE("asked to unseal, seguectl takes the keys of the configuration") {
  const SealedJournal journal;
  const std::string configured =
      journal.configuration("keys.yaml", "keys: { active: k1, k1: { file: k1 } }");
  const CommandResult result = journal.seguectl("cat", {"--unseal", "-c", configured});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(body_of(result) == kBody);

  const std::string without = journal.configuration("none.yaml", "capture_memory: 64MiB");
  const CommandResult refused = journal.seguectl("cat", {"--unseal", "-c", without});
  CHECK(refused.exit_code == 2);
  CHECK(refused.out.empty());
  INFO(refused.err);
  CHECK(is_one_line(refused.err));
  CHECK(refused.err.find("recorder.keys") != std::string::npos);
}

TEST_CASE("what a wrong key does not open stays sealed, and one line says so") {
  const SealedJournal journal;
  for (const std::string& wrong : {journal.key("k1", "wrong"), journal.key("k2", "k1")}) {
    const CommandResult result = journal.seguectl("cat", {"--key", wrong});
    INFO(wrong << ": " << result.err);
    CHECK(result.exit_code == 0);
    CHECK(is_one_line(result.err));
    CHECK(result.err.find("2 encrypted values stayed closed") != std::string::npos);
    CHECK(body_of(result).starts_with(R"({"card":"e:k1:)"));
    CHECK(result.out.find("json:$.card") != std::string::npos);
  }
}

TEST_CASE("a key that cannot be read is one line and exit 2") {
  const SealedJournal journal;
  for (const std::string& bad : {journal.key("k1", "absent"), journal.key("k1", "empty.yaml")}) {
    const CommandResult result = journal.seguectl("cat", {"--key", bad});
    INFO(bad << ": " << result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(is_one_line(result.err));
  }
  CHECK(journal.seguectl("cat", {"--key", "k1"}).exit_code == 2);
}

}  // namespace
}  // namespace segue::test
