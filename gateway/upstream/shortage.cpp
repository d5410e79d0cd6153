#include "gateway/upstream/shortage.hpp"

#include <boost/system/errc.hpp>

namespace segue::gateway {

namespace errc = boost::system::errc;

bool is_out_of_means(const boost::system::error_code& ec) noexcept {
  return ec == errc::too_many_files_open || ec == errc::too_many_files_open_in_system ||
         ec == errc::no_buffer_space || ec == errc::not_enough_memory;
}

bool is_of_this_side(const boost::system::error_code& ec) noexcept {
  return is_out_of_means(ec) || ec == errc::address_not_available;
}

}  // namespace segue::gateway
