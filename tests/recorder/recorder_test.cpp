#include "recorder/recorder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "recorder/exchange.pb.h"
#include "recorder/journal/journal.hpp"
#include "recorder/journal/reader.hpp"
#include "tests/recorder/sample_exchange.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using segue::test::SampleExchange;
using segue::test::TempDir;
using segue::test::id_number;

constexpr std::uint64_t kMiB = 1 << 20;

// A journal that a consumer never reads, so that it fills, and a recorder on its only lane.
class Desk {
 public:
  explicit Desk(WhenFull safe = WhenFull::drop, WhenFull unsafe = WhenFull::refuse)
      : journal_(journal_settings(folder_.path()), 1, 64 << 10),
        recorder(journal_.lane(0), settings(safe, unsafe), AccountKey{}) {}

  std::vector<v1::Exchange> read(bool intents = false) const {
    ReadOptions options;
    options.intents = intents;
    auto reader = JournalReader::open(folder_.path(), options);
    REQUIRE(reader.has_value());
    std::vector<v1::Exchange> exchanges;
    for (;;) {
      const auto frame = (*reader)->next();
      REQUIRE(frame.has_value());
      if (!*frame) break;
      const std::string_view payload = (*frame)->payload;
      REQUIRE(exchanges.emplace_back().ParseFromArray(payload.data(),
                                                      static_cast<int>(payload.size())));
    }
    CHECK((*reader)->damage().empty());
    return exchanges;
  }

  // Until not even a small exchange finds room.
  void fill_up() {
    const std::string body(100'000, 'f');
    std::vector<std::string_view> blocks{body};
    ExchangeView view;
    view.request.head.method = "GET";
    view.response.status = 200;
    for (const std::size_t bytes : {std::size_t{100'000}, std::size_t{1'000}, std::size_t{0}}) {
      blocks[0] = std::string_view(body).substr(0, bytes);
      view.response.body = {blocks, bytes, Capture::complete, {}};
      const std::uint64_t before = recorder.counters().dropped_exchanges.value();
      while (recorder.counters().dropped_exchanges.value() == before) {
        view.id = id_number(1'000 + ++filler_);
        IntentTicket none;
        REQUIRE(recorder.append(view, 0, none).has_value());
      }
    }
  }

 private:
  static JournalSettings journal_settings(const std::filesystem::path& directory) {
    JournalSettings settings;
    settings.directory = directory;
    settings.max_bytes = 8 * kMiB;
    settings.segment_bytes = kMiB;
    settings.consumers = {"nobody"};
    return settings;
  }

  static RecorderSettings settings(WhenFull safe, WhenFull unsafe) {
    RecorderSettings settings;
    settings.routes.resize(3);
    settings.routes[1].enabled = false;
    settings.routes[2].redact.json = {{"$..password", RedactionMode::mask}};
    settings.when_full_safe = safe;
    settings.when_full_unsafe = unsafe;
    return settings;
  }

  TempDir folder_;
  Journal journal_;
  std::uint64_t filler_ = 0;

 public:
  Recorder recorder;
};

// A POST with a request body of `bytes`.
void fill_order(SampleExchange& sample, std::size_t bytes) {
  SampleExchange::fill_browser_page(sample);
  sample.view.request.head.method = "POST";
  sample.request_blocks = {sample.keep(std::string(bytes, 'o'))};
  sample.view.request.body = {{}, bytes, Capture::complete, {}};
  sample.connect();
}

TEST_CASE("a shadow is dropped where room is scarce, and what a client did is not") {
  Desk desk;
  SampleExchange sample;
  fill_order(sample, 50'000);
  IntentTicket none;
  const auto append = [&](Kind kind) {
    sample.view.kind = kind;
    const auto recorded = desk.recorder.append(sample.view, 0, none);
    REQUIRE(recorded.has_value());
    return *recorded;
  };
  CHECK(append(Kind::shadow) == Recorded::whole);
  for (int i = 0; i < 100; ++i) CHECK(append(Kind::primary) == Recorded::whole);  // some 5 of 8 MiB
  const segue::test::Deadline deadline;
  while (!desk.recorder.scarce() && deadline.left() > 0) std::this_thread::yield();
  CHECK(append(Kind::shadow) == Recorded::dropped);
  CHECK(append(Kind::control) == Recorded::dropped);
  CHECK(desk.recorder.counters().dropped_exchanges.value() == 2);
  CHECK(append(Kind::primary) == Recorded::whole);
}

TEST_CASE("an exchange that was appended is in the journal, whole") {
  Desk desk;
  SampleExchange sample;
  SampleExchange::fill_browser_page(sample);
  IntentTicket none;
  const auto recorded = desk.recorder.append(sample.view, 0, none);
  REQUIRE(recorded.has_value());
  CHECK(*recorded == Recorded::whole);
  const auto exchanges = desk.read();
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].id() == sample.view.id.raw());
  CHECK(exchanges[0].response().body().content().size() == 620);
  CHECK(desk.recorder.counters().exchanges.value() == 1);
  CHECK(desk.recorder.counters().redacted.value() == 2);
}

TEST_CASE("an intent is on record as interrupted until its exchange follows") {
  Desk desk;
  SampleExchange sample;
  fill_order(sample, 300);
  auto intent = desk.recorder.intend(sample.view, 0);
  REQUIRE(intent.has_value());
  REQUIRE(*intent);
  auto frames = desk.read(true);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].outcome() == v1::OUTCOME_INTERRUPTED);
  CHECK(frames[0].request().body().content().size() == 300);
  REQUIRE(desk.recorder.append(sample.view, 0, *intent).has_value());
  CHECK_FALSE(*intent);
  frames = desk.read();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].outcome() == v1::OUTCOME_COMPLETED);
}

TEST_CASE("what a JSON rule hides is in neither the intent nor the exchange") {
  Desk desk;
  SampleExchange order;
  fill_order(order, 0);
  order.request_blocks = {R"({"user":"u","pass)", R"(word":"hunter2"})"};
  order.view.request.body.size = 34;
  order.connect();
  auto intent = desk.recorder.intend(order.view, 2);
  REQUIRE(intent.has_value());
  REQUIRE(*intent);
  CHECK(desk.read(true)[0].request().body().content() == R"({"user":"u","password":"***"})");
  REQUIRE(desk.recorder.append(order.view, 2, *intent).has_value());
  const auto exchanges = desk.read();
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].request().body().content() == R"({"user":"u","password":"***"})");
  // The answer is called JSON and is none.
  CHECK(exchanges[0].response().body().capture() == v1::CAPTURE_SKIPPED);
  CHECK(exchanges[0].response().body().reason() == "redaction: does not parse");
  CHECK(exchanges[0].response().body().size() == 620);
}

TEST_CASE("an intent leaves out a body over 64 KiB and says so") {
  Desk desk;
  SampleExchange sample;
  fill_order(sample, Recorder::kIntentBodyBytes + 1);
  REQUIRE(desk.recorder.intend(sample.view, 0).has_value());
  const auto frames = desk.read(true);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].request().body().content().empty());
  CHECK(frames[0].request().body().capture() == v1::CAPTURE_TRUNCATED);
  CHECK(frames[0].request().body().reason() == "intent");
  CHECK(frames[0].request().body().size() == Recorder::kIntentBodyBytes + 1);
}

TEST_CASE("a full journal drops what is safe and refuses what is not") {
  Desk desk;
  desk.fill_up();
  SampleExchange page;
  SampleExchange::fill_browser_page(page);
  IntentTicket none;
  const auto dropped = desk.recorder.append(page.view, 0, none);
  REQUIRE(dropped.has_value());
  CHECK(*dropped == Recorded::dropped);
  SampleExchange order;
  fill_order(order, 10);
  const auto refused = desk.recorder.intend(order.view, 0);
  REQUIRE(refused.has_error());
  CHECK(refused.error().at_fault == Party::journal);
  CHECK_FALSE(Recorder::wants_wait(refused.error()));
  CHECK(desk.recorder.counters().refused.value() == 1);
  // The 503 that follows is an exchange of its own, and no second refusal.
  order.view.outcome = Outcome::refused;
  const auto answer = desk.recorder.append(order.view, 0, none);
  REQUIRE(answer.has_value());
  CHECK(*answer == Recorded::dropped);
  CHECK(desk.recorder.counters().refused.value() == 1);
  CHECK(desk.recorder.counters().dropped_refusals.value() == 1);
}

TEST_CASE("a full journal asks to wait where the settings say block") {
  Desk desk(WhenFull::drop, WhenFull::block);
  desk.fill_up();
  SampleExchange order;
  fill_order(order, 10);
  const auto waiting = desk.recorder.intend(order.view, 0);
  REQUIRE(waiting.has_error());
  CHECK(Recorder::wants_wait(waiting.error()));
  CHECK(desk.recorder.counters().blocked.value() == 1);
}

TEST_CASE("with its intent on record an exchange is never refused, only its bodies are skipped") {
  Desk desk;
  SampleExchange order;
  fill_order(order, 2'000);
  auto intent = desk.recorder.intend(order.view, 0);
  REQUIRE(intent.has_value());
  REQUIRE(*intent);
  desk.fill_up();
  const auto recorded = desk.recorder.append(order.view, 0, *intent);
  REQUIRE(recorded.has_value());
  REQUIRE(*recorded == Recorded::without_bodies);
  const auto exchanges = desk.read();
  const auto& last = exchanges.back();
  CHECK(last.id() == order.view.id.raw());
  CHECK(last.outcome() == v1::OUTCOME_COMPLETED);
  CHECK(last.request().body().capture() == v1::CAPTURE_SKIPPED);
  CHECK(last.request().body().reason() == "journal");
  CHECK(last.request().body().size() == 2'000);
  CHECK(last.request().fields_size() == static_cast<int>(order.request_fields.size()));
}

TEST_CASE("a ticket that is dropped gives its room back") {
  Desk desk;
  SampleExchange order;
  fill_order(order, 10);
  for (int i = 0; i < 500; ++i) {  // far more than fit at once
    auto intent = desk.recorder.intend(order.view, 0);
    REQUIRE(intent.has_value());
    REQUIRE(*intent);
    REQUIRE(desk.recorder.append(order.view, 0, *intent).has_value());
  }
}

TEST_CASE("bodies too large for a frame are cut to fit it") {
  Desk desk;
  SampleExchange order;
  fill_order(order, 700'000);
  order.response_blocks = {order.keep(std::string(20'000, 'r'))};
  order.view.response.body = {{}, 20'000, Capture::complete, {}};
  order.connect();
  IntentTicket none;
  const auto recorded = desk.recorder.append(order.view, 0, none);
  REQUIRE(recorded.has_value());
  CHECK(*recorded == Recorded::whole);
  const auto exchanges = desk.read();
  REQUIRE(exchanges.size() == 1);
  const v1::Body& body = exchanges[0].request().body();
  CHECK(body.capture() == v1::CAPTURE_TRUNCATED);
  CHECK(body.reason() == "frame");
  CHECK(body.size() == 700'000);
  CHECK(body.content().size() > 400'000);
  CHECK(exchanges[0].response().body().capture() == v1::CAPTURE_COMPLETE);
  CHECK(desk.recorder.counters().cut_bodies.value() == 1);
}

TEST_CASE("a digest is on record but where it would tell what a rule hides") {
  constexpr RouteIndex kRuled = 2;
  const std::string digest(32, 'd');
  const std::string png("\x89PNG\0\xff", 6);
  struct Case {
    const char* type;
    std::string content;
    Capture capture;
    bool there;  // on the route with rules; on another it always is
  };
  const Case cases[] = {
      {"application/json", R"({"password":"1"})", Capture::complete, false},
      {"application/json", R"({"name":"1"})", Capture::complete, true},
      {"application/json", R"({"name":"1", "pa)", Capture::truncated, false},
      {"application/json", "", Capture::truncated, false},
      {"application/json", "{", Capture::complete, false},
      {"text/plain", "as it came", Capture::complete, true},
      {"text/plain", "as it came, up to h", Capture::truncated, false},
      {"image/png", png, Capture::truncated, true},
      {"image/png", "text after all", Capture::truncated, false},
      {"image/png", "", Capture::skipped, false},
  };
  for (const Case& each : cases) {
    INFO(each.type << " " << each.content);
    Desk desk;
    SampleExchange order;
    fill_order(order, 0);
    order.response_fields = {{"Content-Type", each.type}};
    order.response_blocks.clear();
    if (!each.content.empty()) order.response_blocks.push_back(each.content);
    order.view.response.body = {{}, 1'000, each.capture, {}, digest};
    order.connect();
    for (const RouteIndex route : {RouteIndex{0}, kRuled}) {
      IntentTicket none;
      REQUIRE(desk.recorder.append(order.view, route, none).has_value());
    }
    const auto exchanges = desk.read();
    REQUIRE(exchanges.size() == 2);
    CHECK(exchanges[0].response().body().sha256() == digest);
    CHECK(exchanges[1].response().body().sha256() == (each.there ? digest : ""));
  }
}

TEST_CASE("a digest stays where a body is cut on its way, and of an empty one") {
  Desk desk;
  SampleExchange order;
  const std::string digest(32, 'd');
  fill_order(order, 700'000);
  order.view.request.body.sha256 = digest;
  order.view.response.body = {{}, 0, Capture::complete, {}, digest};
  order.response_blocks.clear();
  order.connect();
  auto intent = desk.recorder.intend(order.view, 0);
  REQUIRE(intent.has_value());
  REQUIRE(desk.recorder.append(order.view, 0, *intent).has_value());
  IntentTicket none;
  REQUIRE(desk.recorder.append(order.view, 2, none).has_value());
  const auto exchanges = desk.read(true);
  REQUIRE(exchanges.size() == 3);
  for (const int at : {0, 1}) {
    const v1::Body& body = exchanges[static_cast<std::size_t>(at)].request().body();
    CHECK(body.capture() == v1::CAPTURE_TRUNCATED);
    CHECK(body.sha256() == digest);
  }
  CHECK(exchanges[2].response().body().sha256() == digest);
}

TEST_CASE("a route that is not recorded leaves nothing in the journal") {
  Desk desk;
  SampleExchange order;
  fill_order(order, 10);
  auto intent = desk.recorder.intend(order.view, 1);
  REQUIRE(intent.has_value());
  CHECK_FALSE(*intent);
  const auto recorded = desk.recorder.append(order.view, 1, *intent);
  REQUIRE(recorded.has_value());
  CHECK(*recorded == Recorded::unwanted);
  CHECK(desk.read().empty());
}

TEST_CASE("what the client did later is a record of its own") {
  Desk desk;
  desk.recorder.finish({id_number(5), id_number(4), 12, Outcome::client_aborted, 1, 2});
  const auto exchanges = desk.read();
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].kind() == v1::KIND_FINISH);
  CHECK(exchanges[0].parent_id() == id_number(4).raw());
}

}  // namespace
}  // namespace segue::recorder
