// Makes an archive of one day as an archiver makes it that flushes every ten seconds, for
// bench/query.py to ask.
//   bench_query DIR ROWS DAY(YYYY-MM-DD)

#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/browser_traffic.hpp"
#include "exchange/id.hpp"
#include "recorder/exchange.pb.h"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace {

using namespace segue;
using namespace segue::warehouse;
using bench::add_fields;
using bench::document;

constexpr std::int64_t kDay = 86'400'000'000;    // microseconds
constexpr std::int64_t kFlush = 10'000'000;
constexpr std::size_t kBodyBytes = 1'500;
constexpr std::size_t kBodies = 2'000;

// The exchanges of a day, evenly over it, a thousand paths, each two hundredth a failure.
class DayOfExchanges : public RecordReader {
 public:
  DayOfExchanges(std::int64_t begin, std::uint64_t rows) : begin_(begin), rows_(rows) {
    for (std::size_t i = 0; i < kBodies; ++i) bodies_.push_back(document(random_, kBodyBytes));
  }
  std::int64_t at(std::uint64_t row) const {
    const double share = static_cast<double>(row) / static_cast<double>(rows_);
    return begin_ + static_cast<std::int64_t>(share * static_cast<double>(kDay));
  }
  void range(std::uint64_t from, std::uint64_t to) {
    next_ = from;
    to_ = to;
  }
  std::optional<SourceRecord> next() override {
    if (next_ == to_) return std::nullopt;
    payload_ = exchange(at(next_));
    return SourceRecord{.offset = next_++, .payload = payload_, .redelivered = false};
  }

 private:
  std::string exchange(std::int64_t at) {
    v1::Exchange one;
    one.set_id(std::string(ids_.next(at).raw()));
    one.set_created_at(at);
    one.set_kind(v1::KIND_PRIMARY);
    one.set_outcome(v1::OUTCOME_COMPLETED);
    one.set_account_id(fmt::format("account-{}", random_() % 5'000));
    one.mutable_decision()->set_route(fmt::format("route-{}", random_() % 20));
    one.mutable_decision()->set_path_template("/searches/{id}");
    one.mutable_decision()->set_backend("legacy");
    v1::Request& request = *one.mutable_request();
    request.set_method(random_() % 10 == 0 ? "POST" : "GET");
    request.set_target(fmt::format("/searches/{}?page={}", random_() % 1'000, random_() % 100));
    add_fields(*request.mutable_fields(), 10, random_());
    v1::Response& response = *one.mutable_response();
    response.set_status(random_() % 200 == 0 ? 503 : 200);
    add_fields(*response.mutable_fields(), 6, random_());
    one.mutable_timing()->set_first_byte(static_cast<std::int64_t>(random_() % 9'000));
    one.mutable_timing()->set_last_byte(static_cast<std::int64_t>(9'000 + random_() % 9'000));
    v1::Body& body = *response.mutable_body();
    body.set_capture(v1::CAPTURE_COMPLETE);
    body.set_content(bodies_[random_() % bodies_.size()]);
    body.set_size(body.content().size());
    return one.SerializeAsString();
  }

  const std::int64_t begin_;
  const std::uint64_t rows_;
  std::mt19937_64 random_{1};
  ExchangeIdSource ids_;
  std::vector<std::string> bodies_;
  std::string payload_;
  std::uint64_t next_ = 0;
  std::uint64_t to_ = 0;
};

// What of the day is over by `now`.
class DaySource : public RecordSource {
 public:
  DaySource(std::int64_t begin, std::uint64_t rows) : day_(begin, rows), rows_(rows), now(begin) {}
  const std::string& name() const override { return name_; }
  std::vector<Chain> chains() override { return {chain_}; }
  std::uint64_t first(const Chain&) override { return 0; }
  std::optional<Waiting> waiting(const Chain& chain, std::uint64_t next) override {
    std::uint64_t to = next;
    while (to < rows_ && day_.at(to) < now) ++to;
    if (to == next) return std::nullopt;
    return Waiting{
        .chain = chain, .lost_from = next, .lost_reason = {}, .from = next, .to = to};
  }
  std::unique_ptr<RecordReader> read(const Chain&, std::uint64_t from, std::uint64_t to) override {
    day_.range(from, to);
    return std::make_unique<Borrowed>(day_);
  }
  void archived(const Chain&, std::uint64_t) override {}
  void wait(std::chrono::milliseconds) override {}

 private:
  struct Borrowed : RecordReader {
    explicit Borrowed(DayOfExchanges& of) : day(of) {}
    std::optional<SourceRecord> next() override { return day.next(); }
    DayOfExchanges& day;
  };

  const Chain chain_{"bench", "0"};
  const std::string name_ = "bench:day";
  DayOfExchanges day_;
  const std::uint64_t rows_;

 public:
  std::int64_t now;
};

}  // namespace

int main(int argc, char** argv) {
  const auto day = argc == 4 ? parse_day(argv[3]) : std::nullopt;
  if (!day) {
    fmt::print(stderr, "bench_query DIR ROWS DAY\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const std::int64_t begin =
      std::chrono::duration_cast<std::chrono::microseconds>(day->time_since_epoch()).count();
  FolderStore store(folder);
  Archive archive = Archive::open_or_create(store);
  DaySource source(begin, std::strtoull(argv[2], nullptr, 10));
  ArchiveFileEncoder encoder;
  ArchiverOptions options;
  options.staging = folder.parent_path() / "staging";
  options.writer = "bench";
  options.now = [&source] { return source.now - 1; };
  Archiver archiver(archive, source, encoder, options);
  for (source.now = begin + kFlush; source.now <= begin + kDay; source.now += kFlush)
    archiver.run_once();
  fmt::print("{} rows in {} files\n", archiver.tally().rows, archiver.tally().claims);
  return 0;
}
