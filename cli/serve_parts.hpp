#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "compare/live.hpp"
#include "config/settings.hpp"
#include "gateway/worker.hpp"
#include "recorder/journal/journal.hpp"
#include "recorder/publisher/publisher.hpp"

namespace segue::cli {

// What `segue serve` is put together from, each as the configuration wants it.

gateway::GatewaySettings gateway_settings(const config::Settings& settings);

// With an archiver that reads the journal among its consumers, also where `archive` is not written.
enum class Archiving : std::uint8_t { off, on };
recorder::JournalSettings journal_settings(const config::Settings& settings, Archiving archiving);

// Both bodies whole, both heads.
std::size_t largest_payload(const config::Settings& settings);

// Null: no Kafka is configured.
std::unique_ptr<recorder::Publisher> make_publisher(const config::Settings& settings,
                                                    recorder::Journal& journal);

// Null: no route shadows, or nothing of it is to be compared here.
std::unique_ptr<compare::LiveComparison> make_comparison(const config::Settings& settings,
                                                         const recorder::Journal& journal);

// Each core's own route table and recorder. `publisher` may be null.
std::vector<gateway::CoreParts> core_parts(const config::Settings& settings, unsigned cores,
                                           recorder::Journal& journal,
                                           recorder::Publisher* publisher);

}  // namespace segue::cli
