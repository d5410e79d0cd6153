#pragma once

#include <cstddef>
#include <string>

#include "tests/gateway/conformance_corpus.hpp"

namespace segue::gateway::http1 {

// What the gateway's parsers make of the bytes of a connection.
struct OurReading {
  std::string refusal;       // reason label of the first refused head or body; empty: none
  std::size_t messages = 0;  // that came to their end
  std::size_t content = 0;   // bytes of all bodies, an unfinished one included
  bool finished = false;     // nothing but perhaps a CRLF is left of what has to be read

  // A whole message was read and nothing was damaged, the end of the bytes aside.
  bool accepted() const { return refusal.empty() && finished; }
  bool operator==(const OurReading&) const = default;
};

// Reads message after message, as a connection would, `step` bytes at a time; ends where the
// connection ends or leaves HTTP. A request that needs a Host and has none is given one, so that
// it is judged by what it is about: most cases of the corpora were written without.
OurReading replay(const CorpusCase& sent, std::size_t step);

}  // namespace segue::gateway::http1
