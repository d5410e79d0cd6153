#include "cli/query/line_editor.hpp"

#include <histedit.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>

namespace segue::cli {
namespace {

constexpr int kMostEntries = 2'000;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '@';
}

// What all of them begin with.
std::string shared_beginning(const std::vector<std::string>& words) {
  std::string shared = words.front();
  for (const std::string& word : words) {
    std::size_t same = 0;
    while (same < shared.size() && same < word.size() && shared[same] == word[same]) ++same;
    shared.resize(same);
  }
  return shared;
}

}  // namespace

struct LineEditor::State {
  std::filesystem::path history_file;
  Complete complete;
  std::string prompt;
  ::EditLine* editor = nullptr;
  ::History* history = nullptr;
  ::HistEvent event{};
  bool interrupted = false;

  static State& of(::EditLine* editor) {
    void* data = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }
  static char* prompt_of(::EditLine* editor) { return of(editor).prompt.data(); }
  static unsigned char tab(::EditLine* editor, int) { return of(editor).complete_word(); }
  static unsigned char interrupt(::EditLine* editor, int) {
    of(editor).interrupted = true;
    return CC_NEWLINE;
  }
  unsigned char complete_word();
};

unsigned char LineEditor::State::complete_word() {
  const ::LineInfo* const line = ::el_line(editor);
  const char* begin = line->cursor;
  while (begin != line->buffer && is_word(begin[-1])) --begin;
  const std::string_view begun(begin, static_cast<std::size_t>(line->cursor - begin));
  const std::vector<std::string> words = complete(begun);
  if (words.empty()) return CC_REFRESH_BEEP;
  const std::string shared = shared_beginning(words);
  const bool further = shared.size() > begun.size();
  if (!further && words.size() > 1) {
    std::fputc('\n', stdout);
    for (const std::string& word : words) std::fprintf(stdout, "%s  ", word.c_str());
    std::fputc('\n', stdout);
    std::fflush(stdout);
    return CC_REDISPLAY;
  }
  ::el_deletestr(editor, static_cast<int>(begun.size()));
  ::el_insertstr(editor, (words.size() == 1 ? shared + " " : shared).c_str());
  return CC_REFRESH;
}

LineEditor::LineEditor(std::filesystem::path history, Complete complete)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.history_file = std::move(history);
  state.complete = std::move(complete);
  std::setlocale(LC_CTYPE, "");  // what is typed may be UTF-8
  state.editor = ::el_init("seguectl", stdin, stdout, stderr);
  state.history = ::history_init();
  ::history(state.history, &state.event, H_SETSIZE, kMostEntries);
  ::history(state.history, &state.event, H_SETUNIQUE, 1);
  ::history(state.history, &state.event, H_LOAD, state.history_file.c_str());
  ::el_set(state.editor, EL_CLIENTDATA, &state);
  ::el_set(state.editor, EL_PROMPT, &State::prompt_of);
  ::el_set(state.editor, EL_EDITOR, "emacs");
  ::el_set(state.editor, EL_HIST, ::history, state.history);
  ::el_set(state.editor, EL_ADDFN, "segue-complete", "completes a word", &State::tab);
  ::el_set(state.editor, EL_BIND, "\t", "segue-complete", nullptr);
  // While a line is edited Ctrl-C is a key: a signal would only interrupt the read, which libedit
  // begins again.
  ::el_set(state.editor, EL_SETTY, "-d", "-isig", nullptr);
  ::el_set(state.editor, EL_ADDFN, "segue-interrupt", "takes the line back", &State::interrupt);
  ::el_set(state.editor, EL_BIND, "^C", "segue-interrupt", nullptr);
  ::el_set(state.editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  ::history_end(state_->history);
  ::el_end(state_->editor);
}

LineEditor::Read LineEditor::read(const std::string& prompt) {
  state_->prompt = prompt;
  state_->interrupted = false;
  int length = 0;
  const char* const line = ::el_gets(state_->editor, &length);
  if (state_->interrupted) {
    std::fputc('\n', stdout);
    std::fflush(stdout);
    return {End::interrupt};
  }
  if (line == nullptr || length <= 0) return {End::end_of_input};
  std::string text(line, static_cast<std::size_t>(length));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return {End::line, std::move(text)};
}

void LineEditor::remember(const std::string& entry) {
  ::history(state_->history, &state_->event, H_ENTER, entry.c_str());
  std::error_code error;
  std::filesystem::create_directories(state_->history_file.parent_path(), error);
  const bool made = !std::filesystem::exists(state_->history_file, error);
  ::history(state_->history, &state_->event, H_SAVE, state_->history_file.c_str());
  // Statements may name accounts.
  if (made)
    std::filesystem::permissions(state_->history_file, std::filesystem::perms::owner_read |
                                                           std::filesystem::perms::owner_write,
                                 error);
}

std::filesystem::path state_file(std::string_view name) {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::filesystem::path(state) / "segue" / name;
  const char* const home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".local/state/segue" / name;
}

}  // namespace segue::cli
