#pragma once

#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/upkeep/forgetting_mend.hpp"
#include "warehouse/upkeep/tenure.hpp"

namespace segue::warehouse {

// A turn at changing an archive, as all of them begin: what a killed one left half done is put right
// first. One thread; the archive outlives it.
class Term {
 public:
  // `doing` as Tenure has it. Throws StorageError: somebody else's turn; RemoteError.
  Term(Archive& archive, std::string doing);

  Tenure& tenure() noexcept { return tenure_; }
  void confirm() { tenure_.confirm(); }

  // Whether a file could not be put right: it is to be left alone, but may be taken away.
  bool leaves_alone(const std::string& key) const;
  std::vector<HalfForgotten> left_half_forgotten() const;  // to stay named
  std::vector<std::string> warnings() const;  // a line each, for people

 private:
  Tenure tenure_;
  std::vector<UnmendedFile> unmended_;
};

}  // namespace segue::warehouse
