#pragma once

#include <cstdint>

namespace segue::cli {

// For commands that go on until Ctrl-C and then have something to say. From now on the first SIGINT
// is remembered; a second one ends the process as ever.
void listen_for_interrupts();
bool interrupted() noexcept;
// Forgets the one that was, and listens for the next: for commands that go on after it.
void listen_again();

// Waits a tenth of a second for more to come, less when it is interrupted or standard output's
// reader goes. A signal just before costs that while, no more.
enum class Woken : std::uint8_t { time, interrupt, reader_gone };
Woken wait_a_while();

}  // namespace segue::cli
