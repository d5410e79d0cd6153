// Any bytes as a record of which the bodies are taken out: what is left is never longer, and of an
// exchange it is the same exchange but for its two contents.
#include <cstdint>
#include <string>

#include "exchange/ensure.hpp"
#include "recorder/exchange.pb.h"
#include "warehouse/sql/without_bodies.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace segue;
  const std::string payload(reinterpret_cast<const char*>(data), size);
  warehouse::WithoutBodies without_bodies;
  const std::string record(without_bodies(payload));
  v1::Exchange whole;
  if (!whole.ParseFromString(payload)) return 0;
  v1::Exchange left;
  ensure(left.ParseFromString(record), "what was an exchange is none");
  ensure(left.request().body().content().empty() && left.response().body().content().empty(),
         "a body that stayed");
  whole.mutable_request()->mutable_body()->clear_content();
  whole.mutable_response()->mutable_body()->clear_content();
  left.mutable_request()->mutable_body();  // present or not is all the same here
  left.mutable_response()->mutable_body();
  ensure(left.SerializeAsString() == whole.SerializeAsString(), "more than bodies is gone");
  return 0;
}
