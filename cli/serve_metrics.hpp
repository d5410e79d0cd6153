#pragma once

#include <string>
#include <string_view>

namespace segue::compare {
class LiveComparison;
}
namespace segue::gateway {
class Gateway;
}
namespace segue::recorder {
class Journal;
class Publisher;
}

namespace segue::cli {

class ArchiverProcess;

// The text of /metrics: what gateway, recorders, journal, publisher, comparison and archiver (null:
// there is none) counted, and what runs. Asks each core; any thread but theirs.
std::string serve_metrics(gateway::Gateway& gateway, const recorder::Journal& journal,
                          const recorder::Publisher* publisher,
                          const compare::LiveComparison* comparison,
                          const ArchiverProcess* archiver,
                          std::string_view config_version);

}  // namespace segue::cli
