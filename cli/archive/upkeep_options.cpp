#include "cli/archive/upkeep_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/interruption.hpp"
#include "cli/named_configuration.hpp"

namespace segue::cli {

void UpkeepOptions::add_to(CLI::App& command, Does does) {
  command.add_option("ARCHIVE", archive_,
                     "archive:DIR or archive:s3://BUCKET/PREFIX; default: the configuration's");
  if (does == Does::compares) {
    config_.reset();
    kafka_.add_to(command);
  } else {
    command.add_option("-c,--config", *config_, "Configuration: archive.to, archive.s3 and keys")
        ->envname("SEGUE_CONFIG")
        ->type_name("FILE")
        ->capture_default_str();
  }
  command.add_option("--staging", staging_,
                     "Folder for files while they are made; default: segue-upkeep in TMPDIR or "
                     "/var/tmp")
      ->type_name("DIR");
  add_output_option(command, form_);
  if (does == Does::changes)
    command.add_flag("--yes", yes_, "Do it; without, it only says what it would do");
}

std::optional<config::Settings> UpkeepOptions::configuration() const {
  if (!config_) return kafka_.configuration();
  std::error_code error;
  if (*config_ == kDefaultConfig && !std::filesystem::exists(*config_, error)) return std::nullopt;
  return load_named_configuration(*config_);
}

std::unique_ptr<warehouse::ObjectStore> UpkeepOptions::open_store() const {
  const auto named = archive_ ? warehouse::parse_location(*archive_) : std::nullopt;
  if (archive_ && !named)
    throw StartupError(fmt::format("{}: write archive:DIR or archive:s3://BUCKET/PREFIX",
                                   *archive_));
  // A folder that is named needs no configuration.
  const bool is_folder = named && named->bucket.empty();
  const auto configured = is_folder ? std::nullopt : configuration();
  if (!named && !configured)
    throw StartupError(fmt::format("no archive: give one (archive:DIR), or a configuration with -c "
                                   "({} is not there)",
                                   config_ ? *config_ : kafka_.configuration_path()));
  return warehouse::open_store(named ? *named : configured->archive.to,
                               configured ? configured->archive.s3 : warehouse::S3Settings{},
                               interrupted);
}

warehouse::WorkbenchSettings UpkeepOptions::workbench() const {
  warehouse::WorkbenchSettings settings;
  // Files of hundreds of megabytes: not where memory may be the disk.
  const char* const temporary = std::getenv("TMPDIR");
  settings.staging = !staging_.empty() ? staging_
                                       : std::filesystem::path(temporary == nullptr ? "/var/tmp"
                                                                                    : temporary) /
                                             "segue-upkeep";
  return settings;
}

}  // namespace segue::cli
