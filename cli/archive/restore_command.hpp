#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/kafka_options.hpp"
#include "cli/reading_options.hpp"
#include "cli/source.hpp"
#include "warehouse/restore/restore.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl restore kafka://BROKERS/TOPIC`: puts what an archive has of a topic back into it.
// Without --yes it only says what it would do. Exit code: 0 it was done, or is there already; 1
// something is to be put back; 2 it cannot be, 3 a server cannot be reached or refuses; 130.
class RestoreCommand {
 public:
  explicit RestoreCommand(CLI::App& program);
  bool chosen() const;
  int run();

 private:
  warehouse::RestoreRequest request(const KafkaSource& target) const;

  CLI::App* command_;
  KafkaOptions kafka_;
  OutputForm form_ = OutputForm::text;
  std::optional<std::string> target_;
  std::optional<std::string> from_;
  std::string source_;
  std::optional<std::int64_t> since_, until_;
  std::vector<std::int32_t> partitions_;
  bool yes_ = false;
};

}  // namespace segue::cli
