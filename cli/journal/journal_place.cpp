#include "cli/journal/journal_place.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>

#include "cli/named_configuration.hpp"
#include "exchange/error.hpp"
#include "recorder/journal/reader.hpp"

namespace segue::cli {
namespace {

constexpr std::string_view kScheme = "journal:";

}  // namespace

void JournalPlace::add_to(CLI::App& command) {
  command.add_option("SOURCE", source_, "journal:DIR; default: the configuration's");
  command.add_option("-c,--config", configuration_, "Configuration file")
      ->envname("SEGUE_CONFIG")
      ->type_name("FILE")
      ->capture_default_str();
}

void JournalPlace::resolve() {
  std::error_code error;
  const bool is_default = configuration_ == "segue.yaml";
  if (!source_ || !is_default) {
    if (!source_ && is_default && !std::filesystem::exists(configuration_, error))
      throw StartupError("no journal is named: give journal:DIR, or a configuration with -c "
                         "(segue.yaml is not there)");
    const config::Settings settings = load_named_configuration(configuration_);
    folder_ = settings.journal.directory;
    configured_ = settings.journal.consumers;
  }
  if (source_) {
    if (!source_->starts_with(kScheme) || source_->size() == kScheme.size())
      throw StartupError(fmt::format("{}: not a journal; write journal:DIR", *source_));
    folder_ = source_->substr(kScheme.size());
  }
  if (const auto reader = recorder::JournalReader::open(folder_, {}); !reader)
    throw StartupError(recorder::why_unopened(folder_, reader.error()));
}

}  // namespace segue::cli
