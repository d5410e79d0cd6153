#include "cli/reading_options.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

namespace segue::cli {

void ReadingOptions::add_to(CLI::App& command) {
  command.add_option("SOURCE", source_,
                     "journal:DIR or kafka://BROKERS/TOPIC; default: the configuration's topic, or "
                     "else its journal");
  kafka_.add_to(command);
  add_colour_option(command, colour_);
}

Source ReadingOptions::source() const { return resolve_source(source_, kafka_); }

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
