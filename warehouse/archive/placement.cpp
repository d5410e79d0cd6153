#include "warehouse/archive/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr int kFormatVersion = 1;

Day parse_placement(const std::string& key, std::string_view text) {
  boost::system::error_code error;
  const json::value book = json::parse(text, error);
  const json::value* const day =
      error || !book.is_object() ? nullptr : book.get_object().if_contains("dt");
  const auto found =
      day == nullptr || !day->is_string() ? std::nullopt : parse_day(day->get_string());
  if (!found)
    throw StorageError(fmt::format("{}: it is damaged: it names no day `dt`; remove it, and the "
                                   "file of this claim is placed anew",
                                   key));
  return *found;
}

}  // namespace

std::string placement_key(const Chain& chain, std::uint64_t start) {
  return claim_key(chain, start) + ".placed";
}

Day first_open_day(const Archive& archive, Day at_least) {
  Day open = std::max(at_least, archive.watermark().value_or(at_least));
  const std::chrono::days one(1);
  // Whatever closes behind it closes it, too: days are compacted one after the other.
  archive.store().list(closing_folder(), closing_key(open - one), [&](const StoredObject& object) {
    if (const auto closing = day_of_key(object.key)) open = std::max(open, *closing + one);
  });
  return open;
}

std::optional<Day> placement(const Archive& archive, const Claim& claim) {
  const std::string key = placement_key(claim.chain, claim.start);
  const auto text = archive.store().read(key);
  if (!text) return std::nullopt;
  return parse_placement(key, *text);
}

Day place(Archive& archive, const Claim& claim) {
  if (const auto placed = placement(archive, claim)) return *placed;
  const Day open = first_open_day(archive, claim.day);
  const json::object book{{"format_version", kFormatVersion}, {"dt", text_of(open)}};
  const std::string key = placement_key(claim.chain, claim.start);
  if (archive.store().create(key, json::serialize(book)) == Creation::created) return open;
  const auto placed = placement(archive, claim);
  if (!placed)
    throw StorageError(fmt::format("{}: {} was there and is gone; does something else remove "
                                   "objects there?",
                                   archive.store().name(), key));
  return *placed;
}

}  // namespace segue::warehouse
