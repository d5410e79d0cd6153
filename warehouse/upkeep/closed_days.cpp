#include "warehouse/upkeep/closed_days.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr const char* kPositions = "_compactions/positions.json";
constexpr const char* kRetention = "_retention.json";

// nullopt: it is not there, or says nothing that can be read.
std::optional<json::object> read_object(ObjectStore& store, const char* key) {
  const auto text = store.read(key);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  return value.get_object();
}

json::value member(const json::object& object, const char* name) {
  const json::value* const found = object.if_contains(name);
  return found == nullptr ? json::value() : *found;
}

std::map<Chain, std::uint64_t> read_positions(ObjectStore& store) {
  std::map<Chain, std::uint64_t> positions;
  const auto book = read_object(store, kPositions);
  const json::value* const chains = book ? book->if_contains("chains") : nullptr;
  if (chains == nullptr || !chains->is_array()) return positions;
  for (const json::value& value : chains->get_array()) {
    if (!value.is_object()) continue;
    const json::object& chain = value.get_object();
    const auto topic = json::try_value_to<std::string>(member(chain, "topic"));
    const auto partition = json::try_value_to<std::string>(member(chain, "partition"));
    const auto start = json::try_value_to<std::uint64_t>(member(chain, "start"));
    if (topic && partition && start) positions[{*topic, *partition}] = *start;
  }
  return positions;
}

// Of a book of days, as of `watermark/before.json`; nullopt: it says none.
std::optional<Day> before_in(const std::optional<json::object>& book) {
  const json::value* const before = book ? book->if_contains("before") : nullptr;
  return before != nullptr && before->is_string() ? parse_day(std::string(before->get_string()))
                                                  : std::nullopt;
}

}  // namespace

void mend_watermark(Archive& archive) {
  const auto table = before_in(read_object(archive.store(), watermark_table_key().c_str()));
  const auto watermark = archive.watermark();
  if (table && (!watermark || *watermark < *table)) archive.move_watermark(*table);
}

DayClaims read_day_claims(const Archive& archive, std::optional<Day> since) {
  DayClaims claims;
  const auto positions = since ? read_positions(archive.store()) : std::map<Chain, std::uint64_t>{};
  for (const Chain& chain : archive.chains()) {
    const auto known = positions.find(chain);
    const std::uint64_t from = known == positions.end() ? 0 : known->second;
    std::uint64_t next = std::max(from, archive.genesis(chain).value_or(0));
    archive.each_claim(chain, from, [&](ClaimState state) {
      if (state.claim.start > next) next = std::max(next, archive.genesis(chain).value_or(0));
      // One that came meanwhile, and all behind it, are younger than the listing: days that were
      // closed before it hold none of them, and the next run begins with them. Where the chain's
      // beginning is not known nothing can be said.
      if (state.claim.start > next && archive.genesis(chain)) {
        archive.expect_claim(chain, next);
        return false;
      }
      next = std::max(next, state.claim.end + 1);
      if (!state.done) {
        claims.open.push_back(std::move(state.claim));
        return true;
      }
      const auto day = day_of_key(state.done->path);
      if (day && (!since || *day >= *since)) claims.done[*day].push_back(std::move(state));
      return true;
    });
    claims.ends[chain] = next;
  }
  return claims;
}

void note_compacted(const Archive& archive, const DayClaims& claims, Day before) {
  std::map<Chain, std::uint64_t> positions = claims.ends;
  const auto lower = [&positions](const Claim& claim) {
    std::uint64_t& at = positions[claim.chain];
    at = std::min(at, claim.start);
  };
  for (const Claim& claim : claims.open) lower(claim);
  for (auto day = claims.done.lower_bound(before); day != claims.done.end(); ++day)
    for (const ClaimState& state : day->second) lower(state.claim);
  json::array chains;
  for (const auto& [chain, start] : positions)
    chains.push_back(
        json::object{{"topic", chain.topic}, {"partition", chain.partition}, {"start", start}});
  archive.store().replace(
      kPositions, json::serialize(json::object{{"format_version", 1}, {"chains", chains}}));
}

std::optional<Day> retained_from(ObjectStore& store) {
  const auto book = read_object(store, kRetention);
  if (!book) return std::nullopt;
  const auto day = before_in(book);
  if (!day)
    throw StorageError(fmt::format("{}: {} is damaged: `before` is no day", store.name(),
                                   kRetention));
  return day;
}

void set_retained_from(ObjectStore& store, Day day) {
  store.replace(kRetention,
                json::serialize(json::object{{"format_version", 1}, {"before", text_of(day)}}));
}

std::optional<std::string> done_key_of_raw(std::string_view key) {
  if (!key.starts_with(raw_folder()) || !day_of_key(key)) return std::nullopt;
  key.remove_prefix(raw_folder().size());
  key.remove_prefix(std::min(key.size(), key.find('/') + 1));
  // Names of topics and partitions are encoded alike here and there, and have no `~`.
  const std::size_t topic = key.find('~');
  if (topic == std::string_view::npos) return std::nullopt;
  const std::size_t partition = key.find('~', topic + 1);
  if (partition == std::string_view::npos || key.size() < partition + 21 ||
      key[partition + 21] != '~')
    return std::nullopt;
  return fmt::format("{}{}/{}/{}.json.done", chains_folder(), key.substr(0, topic),
                     key.substr(topic + 1, partition - topic - 1), key.substr(partition + 1, 20));
}

}  // namespace segue::warehouse
