#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

namespace segue::cli {

// An option that takes one of a few words; `into` must outlive the parse. Help lists the words,
// and every other one is a usage error.
template <class E>
CLI::Option* add_word_option(CLI::App& app, const std::string& names, E& into,
                             std::vector<std::pair<std::string, E>> words,
                             const std::string& description) {
  std::vector<std::string> allowed;
  for (const auto& [word, value] : words) allowed.push_back(word);
  const auto take = [&into, words = std::move(words)](const std::string& chosen) {
    for (const auto& [word, value] : words)
      if (word == chosen) into = value;
  };
  return app.add_option_function<std::string>(names, take, description)
      ->check(CLI::IsMember(allowed))
      ->type_name("WORD");
}

}  // namespace segue::cli
