#include "exchange/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace segue {

void ensure_failed(const char* why, std::source_location where) noexcept {
  std::fprintf(stderr, "segue: broken invariant: %s (%s:%u)\n", why, where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace segue
