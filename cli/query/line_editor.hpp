#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue::cli {

// Lines from a terminal, by libedit: history across sessions, completion by the tab key. One at a
// time in a process; one thread.
class LineEditor {
 public:
  // Words that a word may be completed to, of those that begin with `begun`; all are replacements
  // for it.
  using Complete = std::function<std::vector<std::string>(std::string_view begun)>;

  // `history`: its file; its folder is made. What cannot be read or written is gone without.
  LineEditor(std::filesystem::path history, Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class End { line, interrupt, end_of_input };
  struct Read {
    End end = End::line;
    std::string line{};  // without its line feed
  };
  Read read(const std::string& prompt);
  // What is found again by the arrow keys.
  void remember(const std::string& entry);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// $XDG_STATE_HOME/segue/NAME, or ~/.local/state/segue/NAME (XDG Base Directory Specification 0.8).
std::filesystem::path state_file(std::string_view name);

}  // namespace segue::cli
