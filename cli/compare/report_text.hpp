#pragma once

#include <cstdint>
#include <string>

#include "cli/colour.hpp"
#include "cli/compare/report_view.hpp"

namespace segue::cli {

// How much is said of fields that are noise: a line each, or as much as of a finding.
enum class NoiseDetail : std::uint8_t { line, full };

// For a terminal: what differs first, everything else behind it.
std::string report_text(const ReportView& view, const Paint& paint, NoiseDetail noise);

}  // namespace segue::cli
