#include "cli/source.hpp"

#include <fmt/format.h>

#include "config/load.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

constexpr std::string_view kJournal = "journal:";

Source configured_source(const std::string& config) {
  std::error_code error;
  if (!std::filesystem::exists(config, error))
    throw StartupError(fmt::format(
        "no source: give one (journal:DIR), or a configuration with -c ({} is not there)", config));
  const config::LoadResult loaded = config::load(config, config::Tests::skip);
  if (!loaded.settings)
    throw StartupError(fmt::format("{}: the configuration has errors; see: segue validate {}",
                                   config, config));
  return {loaded.settings->journal.directory};
}

}  // namespace

Source parse_source(std::string_view text) {
  if (text.starts_with(kJournal) && text.size() > kJournal.size())
    return {std::filesystem::path(text.substr(kJournal.size()))};
  if (text.starts_with("kafka://") || text.starts_with("archive:"))
    throw StartupError(fmt::format("{}: this version reads journal:DIR only", text));
  throw StartupError(fmt::format("{}: not a source; write journal:DIR", text));
}

Source resolve_source(const std::optional<std::string>& text, const std::string& config) {
  return text ? parse_source(*text) : configured_source(config);
}

}  // namespace segue::cli
