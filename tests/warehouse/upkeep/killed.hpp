#pragma once

// Upkeep that is killed at random moments while somebody reads.

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/temp_dir.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

class Killed {
 public:
  // `opening`: how upkeep_victim opens what `store` is: "archive:DIR", or of S3 its name, endpoint
  // and file of credentials.
  Killed(ObjectStore& store, std::vector<std::string> opening);

  // Starts it and kills it after some of the changes that it makes, `times` times, then lets it run
  // to its end. `meanwhile` is called while it works, `between` when it is dead.
  void run(const std::string& what, const std::string& about, unsigned times,
           const std::function<void()>& meanwhile, const std::function<void()>& between);

 private:
  std::size_t look();
  std::vector<std::string> command(const std::string& what, const std::string& about) const;

  ObjectStore& store_;
  std::vector<std::string> opening_;
  test::TempDir staging_;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace segue::warehouse
