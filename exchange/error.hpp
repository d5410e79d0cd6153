#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace segue {

// Whose fault a failure is. It decides the status the client sees (400, 502, 503, 500)
// and which counter moves.
enum class Party : std::uint8_t { client, upstream, journal, gateway };

// Whether the same request may be sent again after this failure.
// if_reused: only when the connection it failed on had served an exchange before.
enum class Retry : std::uint8_t { never, if_reused, safe };

// An expected failure: who is at fault, whether a retry is safe, what was being done.
// `doing` is static text, e.g. "reading response head".
struct Error {
  boost::system::error_code code;
  Party at_fault = Party::gateway;
  Retry retry = Retry::never;
  const char* doing = "";
};

// A value or an Error. `value()` does not compile (no throw_exception_from_error is declared
// for Error): test the result, then dereference it.
template <class T>
using Result = boost::system::result<T, Error>;

// "reading response head: Connection reset by peer", for logs and records.
std::string describe(const Error& error);

// The program cannot start, or a command cannot run; `what()` is one line for a person that says
// what, where and what to do. Thrown during start-up only; main() prints it and exits 2.
class StartupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace segue
