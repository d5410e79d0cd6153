#include "warehouse/archive/archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "warehouse/storage/several_reads.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr int kFormatVersion = 1;
constexpr std::size_t kFirstClaims = 16;  // that are read at a time
constexpr std::size_t kMostClaims = 256;
constexpr std::size_t kMostOfName = 255;  // octets, NAME_MAX; of all stores: archives are copied

// A claim in a listing.
struct ListedClaim {
  std::uint64_t start = 0;
  bool has_done = false;
};

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

std::optional<std::uint64_t> read_number(ObjectStore& store, const std::string& key,
                                         const char* name) {
  const auto text = store.read(key);
  if (!text) return std::nullopt;
  return member<std::uint64_t>(store, key, parse_book(store, key, *text), name);
}

}  // namespace

std::optional<Archive> Archive::find(ObjectStore& store) {
  auto id = find_id(store);
  if (!id) return std::nullopt;
  return Archive(store, std::move(*id));
}

Archive Archive::open(ObjectStore& store) {
  auto archive = find(store);
  if (!archive)
    throw StorageError(fmt::format("{}: there is no archive here ({} is missing); `seguectl "
                                   "archive` makes one",
                                   store.name(), archive_key()));
  return std::move(*archive);
}

Archive Archive::open_or_create(ObjectStore& store) {
  if (auto archive = find(store)) return std::move(*archive);
  if (!is_empty(store)) {
    // Another archiver may have made it since: nothing of an archive is there before that object.
    if (auto archive = find(store)) return std::move(*archive);
    throw StorageError(fmt::format("{}: something else lies here, and no archive ({} is missing); "
                                   "name an empty place",
                                   store.name(), archive_key()));
  }
  const json::object book{{"format_version", kFormatVersion},
                          {"id", boost::uuids::to_string(boost::uuids::random_generator()())}};
  store.create(archive_key(), json::serialize(book));
  return open(store);
}

std::vector<Chain> Archive::chains() const {
  std::vector<Chain> chains;
  for (const std::string& folder : store_->folders(chains_folder())) {
    const auto topic = parse_folder_name(folder);
    if (!topic) continue;
    for (const std::string& below : store_->folders(chains_folder() + folder + "/"))
      if (const auto partition = parse_folder_name(below)) chains.push_back({*topic, *partition});
  }
  return chains;
}

std::optional<std::uint64_t> Archive::genesis(const Chain& chain) const {
  return read_number(*store_, genesis_key(chain), "start");
}

Creation Archive::start_chain(const Chain& chain, std::uint64_t first) {
  // A claim whose file can never be would stay open for ever.
  if (const std::size_t longest = longest_raw_name(chain); longest > kMostOfName)
    throw StorageError(fmt::format(
        "{}/{}: its files would have names of {} octets, and file systems take {}: it needs a "
        "shorter name (of the topic, or of the instance)",
        chain.topic, chain.partition, longest, kMostOfName));
  expect_itself();
  const json::object book{{"format_version", kFormatVersion}, {"start", first}};
  return store_->create(genesis_key(chain), json::serialize(book));
}

std::vector<ClaimState> Archive::claims(const Chain& chain, std::uint64_t from) const {
  std::vector<ClaimState> states;
  each_claim(chain, from, [&](ClaimState state) {
    states.push_back(std::move(state));
    return true;
  });
  return states;
}

void Archive::each_claim(const Chain& chain, std::uint64_t from,
                         const std::function<bool(ClaimState)>& take) const {
  std::string after = claim_key(chain, from);
  after.pop_back();  // the claim of `from` itself is greater
  std::vector<ListedClaim> listed;
  store_->list(chain_folder(chain), after, [&](const StoredObject& object) {
    const auto start = start_of_claim_key(object.key);
    if (!start) return;
    if (!object.key.ends_with(".done"))
      listed.push_back({.start = *start, .has_done = false});
    else if (!listed.empty() && listed.back().start == *start)
      listed.back().has_done = true;
  });
  std::size_t most = kFirstClaims;
  for (std::size_t at = 0; at < listed.size(); most = std::min(most * 2, kMostClaims)) {
    const std::size_t end = std::min(at + most, listed.size());
    std::vector<std::string> keys;
    for (std::size_t i = at; i < end; ++i) {
      keys.push_back(claim_key(chain, listed[i].start));
      if (listed[i].has_done) keys.push_back(done_key(chain, listed[i].start));
    }
    const auto texts = read_several(*store_, keys);
    for (std::size_t key = 0; at < end; ++at) {
      const std::size_t claim = key++;
      const std::size_t done = listed[at].has_done ? key++ : claim;
      if (!texts[claim]) continue;  // retention took it meanwhile
      ClaimState state{parse_claim(keys[claim], *texts[claim]), std::nullopt};
      if (done != claim && texts[done]) state.done = parse_done(keys[done], *texts[done]);
      if (!take(std::move(state))) return;
    }
  }
}

void Archive::expect_claim(const Chain& chain, std::uint64_t start) const {
  const std::string key = claim_key(chain, start);
  if (store_->size(key)) return;
  throw StorageError(fmt::format(
      "{}: {} is missing, though there are claims behind it: it was removed, or two archives were "
      "mixed; put it back (`seguectl verify` says what else is missing)",
      store_->name(), key));
}

// Retention moves the genesis before it takes claims away. So it is read behind them: what was half
// gone when they were read is told by it from what is open.
Archive::Recent Archive::recent(const Chain& chain) const {
  Recent recent;
  recent.checkpoint = checkpoint(chain);
  recent.claims = claims(chain, recent.checkpoint.value_or(0));
  recent.genesis = genesis(chain);
  const bool names_none =
      recent.checkpoint && *recent.checkpoint >= recent.genesis.value_or(0) &&
      (recent.claims.empty() || recent.claims.front().claim.start != *recent.checkpoint);
  if (names_none) {
    recent.checkpoint.reset();
    recent.claims = claims(chain);
    recent.genesis = genesis(chain);
  }
  std::erase_if(recent.claims, [&](const ClaimState& state) {
    return state.claim.end < recent.genesis.value_or(0);
  });
  return recent;
}

Archive::Tip Archive::tip(const Chain& chain) const {
  Recent known = recent(chain);
  Tip tip;
  tip.next = known.genesis.value_or(0);
  for (ClaimState& state : known.claims) {
    tip.next = state.claim.end + 1;
    tip.last_day = state.claim.day;
    tip.last = state.claim;
    if (!state.done) tip.open.push_back(std::move(state.claim));
  }
  return tip;
}

std::optional<std::uint64_t> Archive::checkpoint(const Chain& chain) const {
  const std::string key = checkpoint_key(chain);
  const auto text = store_->read(key);
  if (!text) return std::nullopt;
  try {
    return member<std::uint64_t>(*store_, key, parse_book(*store_, key, *text), "claim");
  } catch (const StorageError&) {
    return std::nullopt;
  }
}

void Archive::set_checkpoint(const Claim& claim) {
  const json::object book{{"format_version", kFormatVersion}, {"claim", claim.start}};
  store_->replace(checkpoint_key(claim.chain), json::serialize(book));
}

// A folder whose disk is not mounted any more is an empty place like one that was never used.
void Archive::expect_itself() const {
  if (find_id(*store_) == id_) return;
  throw StorageError(fmt::format("{}: the archive is gone from there, or another one came ({} says "
                                 "which): is its disk mounted? Nothing is archived until it is back",
                                 store_->name(), archive_key()));
}

Creation Archive::claim(const Claim& claim) {
  expect_itself();
  return store_->create(claim.key(), to_json(claim));
}

std::optional<Done> Archive::done(const Claim& claim) const {
  const std::string key = done_key(claim.chain, claim.start);
  const auto text = store_->read(key);
  if (!text) return std::nullopt;
  return parse_done(key, *text);
}

Creation Archive::say_done(const Claim& claim, const Done& done) {
  expect_itself();
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
