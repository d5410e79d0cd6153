#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/archive/claim.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// A claim as it stands in an archive.
struct ClaimState {
  Claim claim;
  std::optional<Done> done;  // none: its file is not known to be there yet
};

// The books of an archive: which records were claimed, which files hold them, which days were
// compacted. Reads and writes nothing but small JSON objects. Throws StorageError, RemoteError. One
// thread; the store outlives it.
class Archive {
 public:
  // nullopt: there is none. Throws where it is another version's, or damaged.
  static std::optional<Archive> find(ObjectStore& store);
  // The same; throws also when there is none, or something else.
  static Archive open(ObjectStore& store);
  // The same; an empty place becomes one. Two that make it at the same time get the same.
  static Archive open_or_create(ObjectStore& store);

  ObjectStore& store() const noexcept { return *store_; }
  const std::string& id() const noexcept { return id_; }  // UUID, made with it

  std::vector<Chain> chains() const;
  // The first record that a chain has, or is to have; nullopt: there is no such chain.
  std::optional<std::uint64_t> genesis(const Chain& chain) const;
  // Starts a chain; existed: somebody else did, perhaps elsewhere: ask genesis(). Throws
  // StorageError also where a file of the chain could get a name that is too long.
  Creation start_chain(const Chain& chain, std::uint64_t first);
  // The claims of a chain from `from` on, in order: also those below genesis() that retention is
  // taking away.
  std::vector<ClaimState> claims(const Chain& chain, std::uint64_t from = 0) const;
  // The same, one after the other, until `take` returns false; no more are read than that needs,
  // but for some hundred.
  void each_claim(const Chain& chain, std::uint64_t from,
                  const std::function<bool(ClaimState)>& take) const;
  // For who read claims of a chain behind `start`, and none that begins there: a listing may show a
  // claim and not the one before, when both are made while it goes on. Throws StorageError: it is
  // not there now either.
  void expect_claim(const Chain& chain, std::uint64_t start) const;
  // What is to be known of a chain to go on with it.
  struct Recent {
    std::optional<std::uint64_t> genesis;     // none: there is no such chain
    std::optional<std::uint64_t> checkpoint;  // none: also where it names no claim that is there
    std::vector<ClaimState> claims;  // from the checkpoint on, none that retention takes away
  };
  Recent recent(const Chain& chain) const;
  // Claims that have no `.done`, and the first record that nobody claimed. Begins to list at the
  // chain's checkpoint.
  struct Tip {
    std::uint64_t next = 0;
    std::optional<Day> last_day;  // of the last claim; none: there is no claim
    std::vector<Claim> open;
    std::optional<Claim> last;    // open or done
  };
  Tip tip(const Chain& chain) const;
  // The start of a claim up to which, with it, all are done, and everybody who is to know does. A
  // hint: what cannot be read as one counts as none.
  std::optional<std::uint64_t> checkpoint(const Chain& chain) const;
  // A hint for tip(): this claim and all before it are done.
  void set_checkpoint(const Claim& claim);

  // Both throw StorageError where this archive is not there any more: whoever went on in its place
  // would let the source forget what nobody finds.
  Creation claim(const Claim& claim);
  Creation say_done(const Claim& claim, const Done& done);
  std::optional<Done> done(const Claim& claim) const;

  // Days before it are read from compact/, all others from raw/. nullopt: none was compacted.
  std::optional<Day> watermark() const;
  // To be called when everything before `before` lies in compact/. First the copy that is a table to
  // other engines (deploy/), then the truth: who is killed between does both again.
  void move_watermark(Day before);
  bool is_closing(Day day) const;  // no more files may come to lie under it

  // The files that make up the archive now, in the order of days: those of compact/ before the
  // watermark, those of raw/ from it on. None before `since`.
  std::vector<StoredObject> files(std::optional<Day> since = std::nullopt) const;

 private:
  void expect_itself() const;
  Archive(ObjectStore& store, std::string id) : store_(&store), id_(std::move(id)) {}

  ObjectStore* store_;
  std::string id_;
};

}  // namespace segue::warehouse
