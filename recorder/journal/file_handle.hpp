#pragma once

#include <boost/system/error_code.hpp>
#include <cerrno>

#include "exchange/error.hpp"
#include "runtime/owned_descriptor.hpp"

namespace segue::recorder {

using FileHandle = runtime::OwnedDescriptor;

// A failure of the journal's storage; `doing` is static text.
inline Error storage_error(int errno_value, const char* doing) noexcept {
  return Error{{errno_value, boost::system::system_category()}, Party::journal, Retry::never, doing};
}

}  // namespace segue::recorder
