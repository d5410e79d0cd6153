#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// The right to change what is archived already: compaction, retention and forgetting take turns.
// Archiving and reading ask nobody.
//
// Terms are objects `_upkeep/<number>.json`, each created only if it is absent, so that of several
// that want the next term exactly one gets it. The last one has it until it is given back, or until
// its process is gone where that can be seen (on the same machine), and elsewhere until it was not
// confirmed for kExpiry. Whoever is killed leaves one behind that the next run takes over.
class Tenure {
 public:
  static constexpr std::chrono::minutes kExpiry{15};

  // `doing`: "compact", for whom it keeps waiting. Throws StorageError: somebody else has it.
  Tenure(ObjectStore& store, std::string doing);
  ~Tenure();  // gives it back
  Tenure(const Tenure&) = delete;
  Tenure& operator=(const Tenure&) = delete;

  // Says that the work goes on; before everything that is published or removed, and in the course of
  // all that takes long. Throws StorageError when this process stood still for so long that another
  // took over.
  void confirm();

 private:
  enum class State : std::uint8_t { held, given_back };
  std::string book(State state) const;

  ObjectStore& store_;
  std::string doing_;
  std::uint64_t number_ = 0;
  std::chrono::steady_clock::time_point confirmed_;
};

// Who has a term just now: "`seguectl compact` (process 12 on host)"; nullopt: nobody.
std::optional<std::string> term_holder(ObjectStore& store);

std::string tenure_folder();  // _upkeep/

}  // namespace segue::warehouse
