#include "cli/reading_options.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

namespace segue::cli {

void ReadingOptions::add_to(CLI::App& command) {
  command.add_option("SOURCE", source_, "journal:DIR; default: the configuration's journal");
  command.add_option("-c,--config", config_, "Configuration that names the journal")
      ->envname("SEGUE_CONFIG")
      ->capture_default_str();
  add_colour_option(command, colour_);
}

Source ReadingOptions::source() const { return resolve_source(source_, config_); }

Paint ReadingOptions::paint() const { return Paint(colour_, stdout); }

void add_output_option(CLI::App& command, OutputForm& form) {
  static const std::map<std::string, OutputForm> kForms{{"text", OutputForm::text},
                                                        {"json", OutputForm::json}};
  command.add_option("-o,--output", form, "text, or json: one object a line")
      ->transform(CLI::CheckedTransformer(kForms, CLI::ignore_case).description("{text,json}"))
      ->type_name("FORM")
      ->envname("SEGUE_OUTPUT");
}

}  // namespace segue::cli
