#include "cli/named_configuration.hpp"

#include <fmt/format.h>

#include <utility>

#include "config/load.hpp"
#include "exchange/error.hpp"

namespace segue::cli {

config::Settings load_named_configuration(const std::string& path) {
  config::LoadResult loaded = config::load(path, config::Tests::skip);
  if (loaded.settings) return std::move(*loaded.settings);
  const config::Diagnostic& first = loaded.errors.front();
  const std::string where =
      first.line == 0 ? first.file : fmt::format("{}:{}:{}", first.file, first.line, first.column);
  const std::size_t others = loaded.errors.size() - 1;
  const std::string more = others == 0 ? std::string() : fmt::format(" (and {} more)", others);
  throw StartupError(fmt::format("{}: {}{}; `segue validate {}` shows it", where, first.message,
                                 more, path));
}

}  // namespace segue::cli
