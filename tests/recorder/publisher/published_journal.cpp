#include "tests/recorder/publisher/published_journal.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "tests/recorder/journal_fixture.hpp"

namespace segue::recorder::test {

using segue::test::TestFailure;

v1::Exchange exchange_number(std::uint64_t n, const ExchangeShape& shape) {
  v1::Exchange exchange;
  exchange.set_id(std::string(id_of(n).raw()));
  exchange.set_created_at(1'790'000'000'000'000 + static_cast<std::int64_t>(n) * 1'000);
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_decision()->set_route("orders");
  exchange.set_account_id("account-" + std::to_string(n % shape.accounts));
  auto& request = *exchange.mutable_request();
  request.set_method("POST");
  request.mutable_body()->set_capture(v1::CAPTURE_COMPLETE);
  request.mutable_body()->set_content(std::to_string(n));
  auto& response = *exchange.mutable_response();
  response.set_status(201);
  response.mutable_body()->set_capture(v1::CAPTURE_COMPLETE);
  response.mutable_body()->set_content(std::string(shape.response_bytes, 'r'));
  response.mutable_body()->set_size(shape.response_bytes);
  return exchange;
}

std::uint64_t number_of(const v1::Exchange& exchange) {
  return std::stoull(exchange.request().body().content());
}

std::uint64_t number_of(const KafkaRecord& record) {
  v1::Exchange exchange;
  if (!record.value || !exchange.ParseFromString(*record.value))
    throw TestFailure("a record that is no exchange");
  return number_of(exchange);
}

void append(Lane& lane, const v1::Exchange& exchange) {
  const std::string payload = exchange.SerializeAsString();
  const auto kind = exchange.kind() == v1::KIND_FINISH ? FrameKind::finish : FrameKind::exchange;
  if (!append(lane, std::string_view(payload), kind)) throw TestFailure("the journal is full");
}

JournalSettings published_journal_settings(const std::filesystem::path& directory) {
  JournalSettings settings = small_journal(directory, 64 << 20, 4 << 20);
  settings.consumers = {kPublisherConsumer};
  return settings;
}

kafka::Settings settings_for(const std::string& bootstrap) {
  kafka::Settings settings;
  settings.brokers = {bootstrap};
  settings.topic = kTopic;
  settings.properties = {{"reconnect.backoff.ms", "10"},
                         {"reconnect.backoff.max.ms", "50"},
                         {"retry.backoff.ms", "10"},
                         {"topic.metadata.refresh.fast.interval.ms", "20"},
                         {"topic.metadata.propagation.max.ms", "500"}};
  return settings;
}

PublisherTimings quick() {
  using std::chrono::milliseconds;
  PublisherTimings timings;
  timings.first_retry = milliseconds(5);
  timings.longest_retry = milliseconds(50);
  timings.first_authentication_retry = milliseconds(5);
  timings.longest_authentication_retry = milliseconds(50);
  timings.look_again = milliseconds(50);
  timings.topic_patience = milliseconds(200);
  timings.limit_patience = milliseconds(10);  // the mock never says
  return timings;
}

std::function<void(const std::string&)> Log::sink() {
  return [this](const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
    said_.notify_all();
  };
}

void Log::wait_for(std::string_view text, const Deadline& deadline) const {
  std::unique_lock lock(mutex_);
  const bool said = said_.wait_until(lock, deadline.at(), [&] {
    return std::ranges::any_of(
        lines_, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  });
  if (!said) throw TestFailure("the publisher did not say: " + std::string(text));
}

std::vector<std::string> Log::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::size_t Log::count(std::string_view text) const {
  const auto all = lines();
  return static_cast<std::size_t>(std::ranges::count_if(
      all, [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

PublishedJournal::PublishedJournal(kafka::Settings settings, PublisherTimings timings,
                                   unsigned lanes)
    : journal(published_journal_settings(folder / "journal"), lanes, kKiB),
      publisher(std::move(settings), journal, {.log = log.sink(), .timings = timings}) {}

void PublishedJournal::append(std::uint64_t first, std::uint64_t count,
                              const ExchangeShape& shape) {
  for (std::uint64_t n = first; n < first + count; ++n)
    test::append(journal.lane(static_cast<unsigned>(n % 2)), exchange_number(n, shape));
}

PublisherStatus PublishedJournal::wait_until(
    const std::function<bool(const PublisherStatus&)>& wanted, const Deadline& deadline) const {
  while (true) {
    PublisherStatus status = publisher.status();
    if (wanted(status)) return status;
    if (deadline.left() == 0)
      throw TestFailure("the publisher's status never became what was wanted: " + status.reason);
    std::this_thread::yield();
  }
}

void check_order(const TopicReader::Records& records) {
  TopicReader::Records sorted = records;
  std::ranges::sort(sorted, {},
                    [](const KafkaRecord& r) { return std::pair(r.partition, r.offset); });
  std::set<std::uint64_t> seen;
  std::map<std::string, std::uint64_t> last;
  for (const KafkaRecord& record : sorted) {
    const std::uint64_t n = number_of(record);
    if (!seen.insert(n).second) continue;
    const auto [at, fresh] = last.try_emplace(record.key.value_or(""), n);
    if (fresh) continue;
    INFO("key " << at->first << ": " << n << " after " << at->second);
    CHECK(n > at->second);
    at->second = n;
  }
}

void check_whole_and_in_order(const TopicReader::Records& records, std::uint64_t count) {
  check_order(records);
  std::set<std::uint64_t> seen;
  for (const KafkaRecord& record : records) seen.insert(number_of(record));
  CHECK(seen.size() == count);
  if (!seen.empty()) CHECK(*seen.rbegin() == count - 1);
}

std::function<bool(const TopicReader::Records&)> all_numbers(std::uint64_t count) {
  return [count, seen = std::set<std::uint64_t>{},
          at = std::size_t{0}](const TopicReader::Records& records) mutable {
    for (; at < records.size(); ++at) seen.insert(number_of(records[at]));
    return seen.size() >= count;
  };
}

}  // namespace segue::recorder::test
