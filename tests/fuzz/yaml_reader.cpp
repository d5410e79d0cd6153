#include <cstddef>
#include <cstdint>
#include <string>

#include "config/load.hpp"

// Any bytes as a configuration: an answer, never an exception or a crash. No files are read but
// by `include`, which has no folder to look into.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto result = segue::config::load_text(text, "fuzz.yaml", "/nonexistent");
  if (result.settings.has_value() != result.errors.empty()) __builtin_trap();
  return 0;
}
