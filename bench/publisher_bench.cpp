// What publishing costs: a journal of browser pages, about 2.3 KB each, published to a real broker;
// records a second, and CPU microseconds a record of the publisher's thread and of the process
// (librdkafka's threads compress and send). bench/publisher.sh runs it.
//   bench_publisher BROKERS TOPIC RECORDS CODEC DIR

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "exchange/id.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/journal.hpp"
#include "recorder/publisher/publisher.hpp"

namespace {

using namespace segue;
using namespace segue::recorder;
using Clock = std::chrono::steady_clock;

constexpr unsigned kAccounts = 5'000;

// Text as pages have it: it compresses, but not to nothing.
std::string page(std::mt19937_64& random, std::size_t bytes) {
  static const std::vector<std::string> words = [] {
    std::mt19937_64 letters(7);
    std::vector<std::string> made(2'000);
    for (std::string& word : made) {
      for (std::size_t i = 0; i < 3 + letters() % 8; ++i)
        word += static_cast<char>('a' + letters() % 26);
      word += ' ';
    }
    return made;
  }();
  std::string text;
  while (text.size() < bytes) text += words[random() % words.size()];
  return text;
}

void add_fields(google::protobuf::RepeatedPtrField<v1::Field>& fields, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    v1::Field& field = *fields.Add();
    field.set_name("x-header-of-a-browser-" + std::to_string(i));
    field.set_value("text/html,application/xhtml+xml;q=0.9");
  }
}

// 2.3 KB on record.
v1::Exchange browser_page() {
  v1::Exchange exchange;
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_decision()->set_route("search-read");
  exchange.mutable_trace()->set_trace_id(std::string(16, 't'));
  exchange.mutable_trace()->set_span_id(std::string(8, 's'));
  exchange.mutable_request()->set_method("GET");
  exchange.mutable_request()->set_target("/searches/4711?page=2");
  add_fields(*exchange.mutable_request()->mutable_fields(), 10);
  exchange.mutable_response()->set_status(200);
  add_fields(*exchange.mutable_response()->mutable_fields(), 6);
  return exchange;
}

void fill(Journal& journal, std::uint64_t records) {
  std::mt19937_64 random(1);
  ExchangeIdSource ids;
  v1::Exchange exchange = browser_page();
  const std::size_t heads = exchange.ByteSizeLong();
  for (std::uint64_t n = 0; n < records; ++n) {
    const std::int64_t now = 1'790'000'000'000'000 + static_cast<std::int64_t>(n) * 40;
    exchange.set_id(std::string(ids.next(now).raw()));
    exchange.set_created_at(now);
    exchange.set_account_id("account-" + std::to_string(random() % kAccounts));
    exchange.mutable_response()->mutable_body()->set_content(page(random, 2'260 - heads));
    const std::size_t bytes = exchange.ByteSizeLong();
    const auto room = journal.lane(0).begin(FrameKind::exchange, bytes);
    if (!room) {
      fmt::print(stderr, "bench_publisher: the journal is full\n");
      std::exit(1);
    }
    exchange.SerializeToArray(room->data(), static_cast<int>(bytes));
    journal.lane(0).commit();
  }
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// CPU seconds of the thread with that name, by the scheduler's own account.
double thread_cpu_seconds(const std::string& name) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string called;
    std::ifstream(task.path() / "comm") >> called;
    std::uint64_t nanoseconds = 0;
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    if (called == name) return static_cast<double>(nanoseconds) / 1e9;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: bench_publisher BROKERS TOPIC RECORDS CODEC DIR\n");
    return 2;
  }
  const std::uint64_t records = std::strtoull(argv[3], nullptr, 10);
  kafka::Settings settings;
  settings.brokers = {argv[1]};
  settings.topic = argv[2];
  settings.properties["compression.type"] = argv[4];
  JournalSettings where;
  where.directory = argv[5];
  where.max_bytes = std::uint64_t{4} << 30;
  where.consumers = {kPublisherConsumer};
  Journal journal(where, 1, std::size_t{2} << 20);
  Publisher publisher(settings, journal);
  fill(journal, records);

  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  publisher.start();
  while (publisher.status().published_records < records)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  const double thread = thread_cpu_seconds("publisher");
  const double process = cpu_seconds() - cpu;
  const auto status = publisher.status();
  publisher.finish(std::chrono::seconds(10));
  const auto count = static_cast<double>(records);
  fmt::print(
      "{:<5} {:>8} records of {:.0f} bytes: {:>7.0f} records/s  CPU a record: publisher's thread "
      "{:.2f} us, process {:.2f} us  errors {}\n",
      argv[4], records, static_cast<double>(status.published_bytes) / count, count / elapsed,
      thread / count * 1e6, process / count * 1e6, status.errors.size());
  return 0;
}
