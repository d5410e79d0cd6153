// What encoding an archive's file costs: rows a second of one core, bytes a row, and the memory that
// the process had at most. bench/archive.sh runs it.
//   bench_archive ROWS BODY_BYTES FILE

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "bench/browser_traffic.hpp"
#include "exchange/id.hpp"
#include "recorder/exchange.pb.h"
#include "warehouse/sql/archive_file.hpp"

namespace {

using namespace segue;
using namespace segue::warehouse;
using bench::add_fields;
using bench::document;

std::string exchange(std::mt19937_64& random, std::int64_t at, std::size_t body_bytes) {
  static ExchangeIdSource ids;
  v1::Exchange exchange;
  exchange.set_id(std::string(ids.next(at).raw()));
  exchange.set_created_at(at);
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.set_account_id(fmt::format("account-{}", random() % 5'000));
  exchange.mutable_decision()->set_route("search-read");
  exchange.mutable_decision()->set_path_template("/searches/{id}");
  exchange.mutable_decision()->set_backend("legacy");
  exchange.mutable_trace()->set_trace_id(std::string(16, 't'));
  v1::Request& request = *exchange.mutable_request();
  request.set_method("GET");
  request.set_target(fmt::format("/searches/{}?page=2", random() % 100'000));
  add_fields(*request.mutable_fields(), 10, random());
  v1::Response& response = *exchange.mutable_response();
  response.set_status(random() % 200 == 0 ? 503 : 200);
  add_fields(*response.mutable_fields(), 6, random());
  exchange.mutable_timing()->set_first_byte(static_cast<std::int64_t>(random() % 9'000));
  exchange.mutable_timing()->set_last_byte(static_cast<std::int64_t>(9'000 + random() % 9'000));
  v1::Body& body = *response.mutable_body();
  const std::size_t heads = exchange.ByteSizeLong();
  body.set_capture(v1::CAPTURE_COMPLETE);
  body.set_content(document(random, std::max(body_bytes, heads + 64) - heads));
  body.set_size(body.content().size());
  return exchange.SerializeAsString();
}

// `rows` records made of some that were made before.
class Made : public RecordReader {
 public:
  Made(const std::vector<std::string>& payloads, std::uint64_t rows)
      : payloads_(payloads), rows_(rows) {}
  std::optional<SourceRecord> next() override {
    if (at_ == rows_) return std::nullopt;
    const std::string& payload = payloads_[at_ % payloads_.size()];
    return SourceRecord{.offset = at_++, .payload = payload, .redelivered = false};
  }

 private:
  const std::vector<std::string>& payloads_;
  std::uint64_t rows_;
  std::uint64_t at_ = 0;
};

rusage used() {
  rusage now{};
  ::getrusage(RUSAGE_SELF, &now);
  return now;
}

double cpu_seconds(const rusage& now) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(now.ru_utime) + seconds(now.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "bench_archive ROWS BYTES_A_RECORD FILE\n");
    return 2;
  }
  const std::uint64_t rows = std::strtoull(argv[1], nullptr, 10);
  const std::size_t bytes = std::strtoull(argv[2], nullptr, 10);
  std::mt19937_64 random(1);
  std::vector<std::string> payloads;
  const std::size_t kinds = std::clamp<std::size_t>((32 << 20) / bytes, 8, 16'384);
  for (std::size_t i = 0; i < kinds; ++i)
    payloads.push_back(
        exchange(random, 1'790'000'000'000'000 + static_cast<std::int64_t>(i) * 40, bytes));

  ArchiveFileEncoder encoder;
  const rusage before = used();
  const auto begin = std::chrono::steady_clock::now();
  Made records(payloads, rows);
  const FileFacts facts = encoder.encode({"bench", "0"}, records, argv[3]);
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const rusage after = used();
  const double cpu = cpu_seconds(after) - cpu_seconds(before);
  const auto per = [&](double seconds) { return static_cast<double>(facts.rows) / seconds; };
  fmt::print("{} | {} | {:.0f} | {:.0f} | {:.2f} | {:.0f} | {} | {}\n", facts.rows,
             payloads[0].size(), per(cpu), per(wall), cpu,
             static_cast<double>(facts.bytes) / static_cast<double>(facts.rows),
             before.ru_maxrss / 1024, after.ru_maxrss / 1024);
  return 0;
}
