#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace segue::cli {

// Where exchanges are read from. Text forms: journal:DIR | kafka://BROKERS/TOPIC | archive:...;
// this version reads journals.
struct Source {
  std::filesystem::path journal;  // folder
};

// Throws StartupError with one clear line for what is no source, or none that this version reads.
Source parse_source(std::string_view text);

// `text` when there is one; else the journal of the configuration file `config`, by default
// segue.yaml. Throws StartupError.
Source resolve_source(const std::optional<std::string>& text, const std::string& config);

inline constexpr const char* kDefaultConfig = "segue.yaml";

}  // namespace segue::cli
