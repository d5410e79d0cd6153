#include "tests/cli/shadowed_journal.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>

namespace segue::test {
namespace {

recorder::JournalSettings settings(const std::filesystem::path& directory) {
  recorder::JournalSettings settings;
  settings.directory = directory;
  settings.max_bytes = 16 << 20;
  settings.segment_bytes = 1 << 20;
  return settings;
}

ExchangeId made_id(std::uint64_t n, std::uint8_t kind) {
  std::array<std::uint8_t, ExchangeId::kBytes> bytes{};
  const auto millis = static_cast<std::uint64_t>(kPairsBegin / 1000) + n;
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(millis >> (8 * (5 - i)));
  bytes[6] = 0x70;
  bytes[8] = 0x80;
  bytes[15] = kind;
  return ExchangeId{bytes};
}

void fill(SampleExchange& sample, std::uint64_t n, Kind kind) {
  ExchangeView& view = sample.view;
  view.created_at = kPairsBegin + static_cast<std::int64_t>(n) * 1000;
  view.kind = kind;
  view.decision.route = "search-read";
  view.decision.backend = kind == Kind::shadow ? "new" : "legacy";
  view.decision.role = view.decision.backend;
  view.account_id = "user-7";
  view.request.head = {"GET", "https", "shop.example", "/searches/42", {}};
}

}  // namespace

ExchangeId primary_id(std::uint64_t n) {
  return made_id(n, 1);
}
ExchangeId shadow_id(std::uint64_t n) {
  return made_id(n, 2);
}
ExchangeId control_id(std::uint64_t n) {
  return made_id(n, 3);
}

ShadowedJournal::ShadowedJournal(const std::filesystem::path& directory)
    : journal_(settings(directory), 1, 64 << 10),
      recorder_(journal_.lane(0), {}, recorder::load_or_make_account_key(directory)) {}

void ShadowedJournal::record(SampleExchange& sample, const Answer& answer, const Change& change) {
  sample.view.response.status = answer.status;
  sample.view.timing = {.connect = 0,
                        .request_sent = 40,
                        .first_byte = answer.first_byte,
                        .last_byte = answer.first_byte + 100};
  sample.response_fields = {{"Date", "Fri, 21 Nov 2025 09:00:00 GMT"},
                            {"Content-Type", sample.keep(answer.content_type)}};
  sample.response_blocks = {sample.keep(answer.body)};
  sample.view.response.body = {{}, answer.body.size(), Capture::complete, {}};
  if (change) change(sample);
  sample.connect();
  recorder::IntentTicket none;
  REQUIRE(recorder_.append(sample.view, recorder::kUnrouted, none).has_value());
}

void ShadowedJournal::primary(std::uint64_t n, const Answer& answer, const Change& change) {
  SampleExchange sample;
  fill(sample, n, Kind::primary);
  sample.view.id = primary_id(n);
  sample.view.decision.shadow = "sent";
  record(sample, answer, change);
}

void ShadowedJournal::shadow(std::uint64_t n, const Answer& answer, const Change& change) {
  SampleExchange sample;
  fill(sample, n, Kind::shadow);
  sample.view.id = shadow_id(n);
  sample.view.parent_id = primary_id(n);
  record(sample, answer, change);
}

void ShadowedJournal::control(std::uint64_t n, const Answer& answer, const Change& change) {
  SampleExchange sample;
  fill(sample, n, Kind::control);
  sample.view.id = control_id(n);
  sample.view.parent_id = primary_id(n);
  record(sample, answer, change);
}

void ShadowedJournal::pair(std::uint64_t n, const Answer& left, const Answer& right,
                           const Change& change) {
  primary(n, left, change);
  shadow(n, right, change);
}

}  // namespace segue::test
