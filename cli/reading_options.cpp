#include "cli/reading_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

namespace segue::cli {

void ReadingOptions::add_to(CLI::App& command) {
  command.add_option("SOURCE", source_,
                     "journal:DIR, kafka://BROKERS/TOPIC, archive:DIR or archive:s3://BUCKET/PREFIX; "
                     "default: the configuration's topic, or else its journal");
  kafka_.add_to(command);
  unsealing_.add_to(command);
  add_colour_option(command, colour_);
}

Source ReadingOptions::source() {
  Source source = resolve_source(source_, kafka_);
  if (!unsealing_.wanted()) return source;
  if (const auto configured = kafka_.configuration()) source.keys = configured->keys;
  unsealing_.prepare(source.keys);
  return source;
}

void ReadingOptions::tell_closed() const {
  if (unsealing_.closed() != 0)
    fmt::print(stderr, "seguectl: {} encrypted values stayed closed: their key is not here\n",
               unsealing_.closed());
}

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
