#include "warehouse/archive/archive.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr int kFormatVersion = 1;

json::object parse_book(const ObjectStore& store, const std::string& key, std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  const json::value* const version =
      error || !value.is_object() ? nullptr : value.get_object().if_contains("format_version");
  if (version == nullptr)
    throw StorageError(fmt::format("{}: {} is damaged: it is no JSON object of an archive",
                                   store.name(), key));
  if (*version != kFormatVersion)
    throw StorageError(fmt::format("{}: {} is of format version {}; this segue knows {}: use a "
                                   "newer one",
                                   store.name(), key, json::serialize(*version), kFormatVersion));
  return std::move(value.get_object());
}

// A member of one of the books, by boost::json's conversion.
template <class T>
T member(const ObjectStore& store, const std::string& key, const json::object& book,
         const char* name) {
  const json::value* const found = book.if_contains(name);
  if (found != nullptr) {
    const auto value = json::try_value_to<T>(*found);
    if (value) return *value;
  }
  throw StorageError(fmt::format("{}: {} is damaged: no `{}`", store.name(), key, name));
}

std::optional<std::string> find_id(ObjectStore& store) {
  const auto text = store.read(archive_key());
  if (!text) return std::nullopt;
  return member<std::string>(store, archive_key(), parse_book(store, archive_key(), *text), "id");
}

bool is_empty(ObjectStore& store) {
  bool empty = true;
  store.list("", "", [&](const StoredObject&) { empty = false; });
  return empty;
}

// The name behind the percent-encoding of layout.cpp.
std::string decoded(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%' || i + 2 >= name.size()) {
      text += name[i];
      continue;
    }
    text += static_cast<char>(std::stoi(std::string(name.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return text;
}

std::optional<std::uint64_t> read_number(ObjectStore& store, const std::string& key,
                                         const char* name) {
  const auto text = store.read(key);
  if (!text) return std::nullopt;
  return member<std::uint64_t>(store, key, parse_book(store, key, *text), name);
}

}  // namespace

Archive Archive::open(ObjectStore& store) {
  auto id = find_id(store);
  if (!id)
    throw StorageError(fmt::format("{}: there is no archive here ({} is missing); `seguectl "
                                   "archive` makes one",
                                   store.name(), archive_key()));
  return {store, std::move(*id)};
}

Archive Archive::open_or_create(ObjectStore& store) {
  auto id = find_id(store);
  if (id) return {store, std::move(*id)};
  if (!is_empty(store))
    throw StorageError(fmt::format("{}: something else lies here, and no archive ({} is missing); "
                                   "name an empty place",
                                   store.name(), archive_key()));
  const json::object book{{"format_version", kFormatVersion},
                          {"id", boost::uuids::to_string(boost::uuids::random_generator()())}};
  store.create(archive_key(), json::serialize(book));
  return open(store);
}

std::vector<Chain> Archive::chains() const {
  std::vector<Chain> chains;
  for (const std::string& topic : store_->folders(chains_folder()))
    for (const std::string& partition : store_->folders(chains_folder() + topic + "/"))
      chains.push_back({decoded(topic), decoded(partition)});
  return chains;
}

std::optional<std::uint64_t> Archive::genesis(const Chain& chain) const {
  return read_number(*store_, genesis_key(chain), "start");
}

Creation Archive::start_chain(const Chain& chain, std::uint64_t first) {
  const json::object book{{"format_version", kFormatVersion}, {"start", first}};
  return store_->create(genesis_key(chain), json::serialize(book));
}

std::vector<ClaimState> Archive::claims(const Chain& chain, std::uint64_t from) const {
  std::vector<std::string> keys;
  std::string after = claim_key(chain, from);
  after.pop_back();  // the claim of `from` itself is greater
  store_->list(chain_folder(chain), after,
               [&](const StoredObject& object) { keys.push_back(object.key); });
  std::vector<ClaimState> states;
  for (const std::string& key : keys) {
    const auto start = start_of_claim_key(key);
    if (!start) continue;
    const auto text = store_->read(key);
    if (!text) continue;  // retention took it meanwhile
    if (!key.ends_with(".done")) {
      states.push_back({parse_claim(key, *text), std::nullopt});
    } else if (!states.empty() && states.back().claim.start == *start) {
      states.back().done = parse_done(key, *text);
    }
  }
  return states;
}

Archive::Tip Archive::tip(const Chain& chain) const {
  Tip tip;
  tip.next = genesis(chain).value_or(0);
  for (ClaimState& state : claims(chain, checkpoint(chain).value_or(0))) {
    tip.next = state.claim.end + 1;
    tip.last_day = state.claim.day;
    tip.last = state.claim;
    if (!state.done) tip.open.push_back(std::move(state.claim));
  }
  return tip;
}

std::optional<std::uint64_t> Archive::checkpoint(const Chain& chain) const {
  return read_number(*store_, checkpoint_key(chain), "claim");
}

void Archive::set_checkpoint(const Claim& claim) {
  const json::object book{{"format_version", kFormatVersion}, {"claim", claim.start}};
  store_->replace(checkpoint_key(claim.chain), json::serialize(book));
}

Creation Archive::claim(const Claim& claim) { return store_->create(claim.key(), to_json(claim)); }

std::optional<Done> Archive::done(const Claim& claim) const {
  const std::string key = done_key(claim.chain, claim.start);
  const auto text = store_->read(key);
  if (!text) return std::nullopt;
  return parse_done(key, *text);
}

Creation Archive::say_done(const Claim& claim, const Done& done) {
  return store_->create(done_key(claim.chain, claim.start), to_json(done));
}

std::optional<Day> Archive::watermark() const {
  const auto text = store_->read(watermark_key());
  if (!text) return std::nullopt;
  const auto book = parse_book(*store_, watermark_key(), *text);
  const auto day = parse_day(member<std::string>(*store_, watermark_key(), book, "before"));
  if (!day)
    throw StorageError(fmt::format("{}: {} is damaged: `before` is no day", store_->name(),
                                   watermark_key()));
  return day;
}

void Archive::move_watermark(Day before) {
  const json::object book{{"format_version", kFormatVersion}, {"before", text_of(before)}};
  const std::string line = json::serialize(book) + "\n";  // a row of JSON, as SerDes read it
  store_->replace(watermark_table_key(), line);
  store_->replace(watermark_key(), line);
}

bool Archive::is_closing(Day day) const { return store_->size(closing_key(day)).has_value(); }

std::vector<StoredObject> Archive::files(std::optional<Day> since) const {
  std::vector<StoredObject> files;
  const auto before = watermark();
  const auto list = [&](const std::string& folder, std::optional<Day> from, auto&& wanted) {
    const std::string after = from ? fmt::format("{}dt={}", folder, text_of(*from)) : std::string{};
    store_->list(folder, after, [&](const StoredObject& object) {
      const auto day = day_of_key(object.key);
      if (day && object.key.ends_with(".parquet") && wanted(*day)) files.push_back(object);
    });
  };
  if (before)
    list(compact_folder(), since, [&](Day day) { return day < *before; });
  const auto raw_from = before && since ? std::max(*before, *since) : before ? before : since;
  list(raw_folder(), raw_from, [&](Day day) { return !before || day >= *before; });
  return files;
}

}  // namespace segue::warehouse
