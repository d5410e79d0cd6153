#include "cli/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/configuration.hpp"
#include "cli/diagnostics.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/word_option.hpp"
#include "config/codes.hpp"

namespace segue::cli {
namespace {

struct Checked {
  std::string file;
  config::LoadResult result;
};

std::string as_text(const Checked& checked, const Paint& paint) {
  if (!checked.result.errors.empty())
    return as_text(checked.result.errors, paint) +
           fmt::format("\n{}: {}\n", checked.file, count_of(checked.result.errors.size(), "error"));
  const config::Settings& settings = *checked.result.settings;
  return fmt::format("{}: {} ({}, {} passed)\n", checked.file, paint.good("valid"),
                     count_of(settings.routes.size(), "route"),
                     count_of(settings.tests.size(), "test"));
}

void write_json(JsonWriter& json, const config::Diagnostic& diagnostic) {
  json.begin_object();
  json.member("code", diagnostic.code);
  json.member("file", diagnostic.file);
  json.member("line", std::uint64_t{diagnostic.line});
  json.member("column", std::uint64_t{diagnostic.column});
  json.member("length", std::uint64_t{diagnostic.length});
  json.member("message", diagnostic.message);
  json.member("hint", diagnostic.hint);
  json.end_object();
}

std::string as_json(const std::vector<Checked>& all) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::uint64_t{1});
  json.key("files");
  json.begin_array();
  for (const Checked& checked : all) {
    json.begin_object();
    json.member("file", checked.file);
    json.key("errors");
    json.begin_array();
    for (const config::Diagnostic& diagnostic : checked.result.errors) write_json(json, diagnostic);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + "\n";
}

// 2 when a named file itself could not be read, 1 when something in it is wrong.
int code_of(const std::vector<Checked>& all) {
  int code = kClean;
  for (const Checked& checked : all) {
    if (checked.result.errors.empty()) continue;
    const config::Diagnostic& first = checked.result.errors.front();
    const bool unreadable = first.code == config::codes::kUnreadableFile && first.line == 0;
    code = std::max(code, unreadable ? kFailed : kFound);
  }
  return code;
}

}  // namespace

ValidateCommand::ValidateCommand(CLI::App& program)
    : command_(program.add_subcommand("validate", "check a configuration, all errors in one run")) {
  command_->add_option("FILE", files_, "configurations, - is standard input (default: segue.yaml)")
      ->envname("SEGUE_CONFIG");
  add_word_option<Form>(*command_, "-o,--output", form_,
                        {{"text", Form::text}, {"json", Form::json}, {"github", Form::github}},
                        "form of the output");
  add_colour_option(*command_, colour_);
}

int ValidateCommand::run() {
  if (files_.empty()) files_.emplace_back(kDefaultConfiguration);
  std::vector<Checked> all;
  for (const std::string& file : files_)
    all.push_back({file == "-" ? "<stdin>" : file, load_configuration(file)});
  if (form_ == Form::json) {
    fmt::print("{}", as_json(all));
    return code_of(all);
  }
  const Paint paint(colour_, stdout);
  for (const Checked& checked : all) {
    if (form_ == Form::text) {
      fmt::print("{}", as_text(checked, paint));
      continue;
    }
    for (const config::Diagnostic& diagnostic : checked.result.errors)
      fmt::print("{}", as_github(diagnostic));
  }
  return code_of(all);
}

}  // namespace segue::cli
