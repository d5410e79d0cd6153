#pragma once

#include <cstdint>
#include <exception>

namespace segue::cli {

// For commands that go on until they are told to end, or have something to put in order then. From
// now on the first SIGINT (Ctrl-C) or SIGTERM is remembered; a second one ends the process as ever.
void listen_for_interrupts();
bool interrupted() noexcept;
// Forgets the one that was, and listens for the next: for commands that go on after it. SIGTERM ends
// the process as ever.
void listen_again();

// What a command that was told to end before it was through answers with: kInterrupted after Ctrl-C,
// kFailed after SIGTERM.
int interrupted_code() noexcept;

// A command was told to end while it waited for something; it has nothing more to say.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "told to end"; }
};

// Does `work`, which ends by an exception when interrupted(): that one is Interrupted then.
template <class Work>
auto or_interrupted(const Work& work) {
  try {
    return work();
  } catch (const std::exception&) {
    if (interrupted()) throw Interrupted();
    throw;
  }
}

// Waits a tenth of a second for more to come, less when it is interrupted or standard output's
// reader goes. A signal just before costs that while, no more.
enum class Woken : std::uint8_t { time, interrupt, reader_gone };
Woken wait_a_while();

}  // namespace segue::cli
