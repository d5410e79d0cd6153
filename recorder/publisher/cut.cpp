#include "recorder/publisher/cut.hpp"

#include <algorithm>

#include "recorder/exchange.pb.h"

namespace segue::recorder {
namespace {

// What a cut body may add around its content: tags and lengths that were not there, twice nested.
constexpr std::size_t kFramingBytes = 32;

std::size_t content_size(const v1::Body* body) {
  return body == nullptr ? 0 : body->content().size();
}

void cut_body(v1::Body* body, std::size_t keep) {
  if (body == nullptr || body->content().size() <= keep) return;
  body->mutable_content()->resize(keep);
  body->set_capture(v1::CAPTURE_TRUNCATED);
  body->set_reason("topic");
}

}  // namespace

std::optional<std::string> cut_to(std::string_view payload, std::size_t most_bytes) {
  v1::Exchange exchange;
  if (!exchange.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return std::nullopt;
  const bool request = exchange.has_request() && exchange.request().has_body();
  const bool response = exchange.has_response() && exchange.response().has_body();
  v1::Body* const asked = request ? exchange.mutable_request()->mutable_body() : nullptr;
  v1::Body* const answered = response ? exchange.mutable_response()->mutable_body() : nullptr;

  const std::size_t bodies = content_size(asked) + content_size(answered);
  const std::size_t heads = exchange.ByteSizeLong() - bodies + 2 * kFramingBytes;
  const std::size_t room = most_bytes > heads ? most_bytes - heads : 0;
  const std::size_t smaller = std::min(content_size(asked), content_size(answered));
  const std::size_t for_smaller = std::min(smaller, room / 2);
  const std::size_t for_larger = room - for_smaller;
  const bool asked_is_smaller = content_size(asked) <= content_size(answered);
  cut_body(asked, asked_is_smaller ? for_smaller : for_larger);
  cut_body(answered, asked_is_smaller ? for_larger : for_smaller);

  if (exchange.ByteSizeLong() > most_bytes) return std::nullopt;
  return exchange.SerializeAsString();
}

}  // namespace segue::recorder
