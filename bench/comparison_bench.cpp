// What comparing costs from end to end: CPU of the thread that reads frames from a journal, parses
// them, pairs them, compares JSON of 2 KiB that differs in three fields of noise, and counts. Then
// what a live comparison pays for frames that it passes over.
//   ninja bench_comparison && bin/bench_comparison DIR   (an empty folder, 300 MB)

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "compare/comparing.hpp"
#include "compare/record_reading.hpp"
#include "exchange/id.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/journal.hpp"
#include "recorder/journal/reader.hpp"
#include "runtime/clock.hpp"

namespace {

using namespace segue;

constexpr std::uint64_t kFamilies = 30'000;
constexpr int kRounds = 7;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// A page of search results. `noise` tells one call from the next.
std::string page(std::uint64_t noise) {
  std::string body = fmt::format(
      R"({{"request_id":"3f2504e0-4f89-41d3-9a0c-{:012x}","generated_at":"2026-11-21T03:04:05.{:06}Z",)"
      R"("took_ms":{},"total":1284,"items":[)",
      noise * 7919 % (1ULL << 48), noise % 1'000'000, noise % 90);
  for (int i = 0; body.size() < 1'960; ++i)
    body += fmt::format(
        R"({}{{"id":{},"name":"Blue shoe no. {}","price":{}.95,"currency":"EUR","stock":{},"tags":["shoe","blue"],"url":"https://shop.example/items/{}","sale":null}})",
        i == 0 ? "" : ",", 17'000 + i, i, 20 + i, i * 3, 17'000 + i);
  return body + "]}";
}

void add_fields(google::protobuf::RepeatedPtrField<v1::Field>& fields,
                std::initializer_list<std::pair<const char*, std::string>> values) {
  for (const auto& [name, value] : values) {
    v1::Field& field = *fields.Add();
    field.set_name(name);
    field.set_value(value);
  }
}

v1::Exchange exchange_of(const ExchangeId& id, v1::Kind kind, const ExchangeId& parent,
                         std::uint64_t noise) {
  v1::Exchange exchange;
  exchange.set_id(std::string(id.raw()));
  exchange.set_created_at(runtime::unix_micros_now());
  exchange.set_kind(kind);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  if (kind == v1::KIND_PRIMARY)
    exchange.mutable_decision()->set_shadow("sent");
  else
    exchange.set_parent_id(std::string(parent.raw()));
  exchange.mutable_provenance()->set_service("segue");
  exchange.mutable_decision()->set_route("search-read");
  exchange.mutable_decision()->set_backend("legacy");
  exchange.set_account_id("user-20931");
  v1::Request& request = *exchange.mutable_request();
  request.set_method("GET");
  request.set_target("/searches/42?sort=price&page=3");
  add_fields(
      *request.mutable_fields(),
      {{"Host", "shop.example"},
       {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
       {"Accept", "application/json"},
       {"Accept-Encoding", "gzip, deflate, br, zstd"},
       {"Cookie", "uid=user-20931; session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; consent=all"},
       {"Referer", "https://shop.example/searches?color=red&size=42"},
       {"X-Request-Id", "7d1c8a54-6a45-4bd0-9c8f-52f0b0a3a2c1"}});
  request.mutable_body()->set_capture(v1::CAPTURE_ABSENT);
  v1::Response& response = *exchange.mutable_response();
  response.set_status(200);
  add_fields(*response.mutable_fields(),
             {{"Date", fmt::format("Sat, 21 Nov 2026 03:04:{:02} GMT", noise % 60)},
              {"Content-Type", "application/json"},
              {"Content-Length", "2048"},
              {"Cache-Control", "private, max-age=0"},
              {"Vary", "Accept-Encoding"},
              {"X-Request-Id", fmt::format("{:032x}", noise)}});
  v1::Body& body = *response.mutable_body();
  body.set_content(page(noise));
  body.set_size(body.content().size());
  body.set_capture(v1::CAPTURE_COMPLETE);
  body.set_content_type("application/json");
  exchange.mutable_timing()->set_request_sent(100);
  exchange.mutable_timing()->set_first_byte(1'000 + static_cast<std::int64_t>(noise % 1'000));
  return exchange;
}

bool append(recorder::Lane& lane, const v1::Exchange& exchange) {
  const std::string payload = exchange.SerializeAsString();
  const auto room = lane.begin(recorder::FrameKind::exchange, payload.size());
  if (!room) return false;
  std::memcpy(room->data(), payload.data(), payload.size());
  lane.commit();
  return true;
}

// Shadows come some exchanges behind their primaries; two of a hundred have a control.
bool record(recorder::Lane& lane) {
  constexpr std::uint64_t kBehind = 50;
  ExchangeIdSource ids;
  std::vector<ExchangeId> primaries;
  for (std::uint64_t n = 0; n < kFamilies + kBehind; ++n) {
    if (n < kFamilies) {
      primaries.push_back(ids.next(runtime::unix_micros_now()));
      if (!append(lane, exchange_of(primaries.back(), v1::KIND_PRIMARY, {}, 3 * n))) return false;
    }
    if (n < kBehind) continue;
    const std::uint64_t of = n - kBehind;
    const auto other = [&](v1::Kind kind, std::uint64_t noise) {
      return append(lane,
                    exchange_of(ids.next(runtime::unix_micros_now()), kind, primaries[of], noise));
    };
    if (!other(v1::KIND_SHADOW, 3 * of + 1)) return false;
    if (of % 50 == 0 && !other(v1::KIND_CONTROL, 3 * of + 2)) return false;
  }
  return true;
}

// CPU seconds of one pass over the journal that hands each frame to `take`.
double pass(const std::string& directory, const std::function<void(const recorder::Frame&)>& take) {
  const double start = cpu_seconds();
  auto reader = recorder::JournalReader::open(directory, {});
  if (!reader) std::exit(1);
  for (;;) {
    const auto frame = (*reader)->next();
    if (!frame || !*frame) break;
    take(**frame);
  }
  return cpu_seconds() - start;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

using Parse = bool (*)(std::string_view, v1::Exchange&);

void measure_comparing(const std::string& directory, const char* what, Parse parse) {
  std::vector<double> seconds;
  std::string said;
  for (int round = 0; round < kRounds; ++round) {
    const auto made = compare::Comparing::make({});
    v1::Exchange exchange;
    seconds.push_back(pass(directory, [&](const recorder::Frame& frame) {
      if (parse(frame.payload, exchange)) made.comparing->add(std::move(exchange));
    }));
    const compare::Report report = made.comparing->report();
    if (report.pairs() != kFamilies) std::exit(1);
    said =
        fmt::format("{} pairs, {} controls, {} fields, {} findings", report.pairs(),
                    report.routes[0].controls, report.routes[0].fields.size(), report.findings());
  }
  fmt::print("{:<46} {:>8.0f} pairs/s   ({})\n", what, kFamilies / median(seconds), said);
}

void measure_passing(const std::string& directory) {
  std::vector<double> nanoseconds;
  for (int round = 0; round < kRounds; ++round) {
    std::uint64_t frames = 0;
    std::uint64_t primaries = 0;
    const double seconds = pass(directory, [&](const recorder::Frame& frame) {
      const auto head = compare::read_head(frame.payload);
      ++frames;
      primaries += head && head->kind == v1::KIND_PRIMARY ? 1 : 0;
    });
    if (primaries != kFamilies) std::exit(1);
    nanoseconds.push_back(seconds * 1e9 / static_cast<double>(frames));
  }
  fmt::print("{:<46} {:>8.0f} ns a frame\n", "read, and passed over", median(nanoseconds));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: {} DIR\n", argv[0]);
    return 2;
  }
  recorder::JournalSettings settings;
  settings.directory = argv[1];
  settings.max_bytes = std::uint64_t{512} << 20;
  settings.segment_bytes = 32 << 20;
  recorder::Journal journal(settings, 1, 64 << 10);
  if (!record(journal.lane(0))) return 1;
  fmt::print("bodies of {} bytes, frames of {} bytes, CPU of the reading thread, median of {}\n",
             page(0).size(), journal.status().bytes / journal.status().frames, kRounds);
  measure_comparing(settings.directory, "read, parsed for comparing, paired, compared, counted",
                    compare::parse_for_comparing);
  measure_comparing(settings.directory, "the same, parsed whole",
                    [](std::string_view record, v1::Exchange& exchange) {
                      return exchange.ParseFromArray(record.data(),
                                                     static_cast<int>(record.size()));
                    });
  measure_passing(settings.directory);
  return 0;
}
