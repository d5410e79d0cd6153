#pragma once

#include "tests/support/versitygw.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::warehouse {

// How its buckets are reached.
inline S3Settings settings_for(const test::Versitygw& server) {
  S3Settings settings;
  settings.endpoint = server.url();
  settings.credentials_file = server.credentials_file();
  return settings;
}

}  // namespace segue::warehouse
