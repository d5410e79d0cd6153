#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/head.hpp"
#include "gateway/http1/forward.hpp"

namespace segue::gateway {

// The head of a copy of a request, in memory of its own, and what the record says of it as views
// into that. As the request would be forwarded to that backend, but marked `Segue-Shadow: 1`,
// without Expect and without the fields to remove, and framed by length: a copied body is there
// before it is sent.
class ShadowHead {
 public:
  struct Parts {
    const http1::RequestHead& head;
    std::string_view target;
    std::string_view host;
    std::optional<std::uint64_t> body_bytes;  // none: no body
    std::span<const std::string> remove;      // names, any case, _ as -; Host and framing stay
  };

  // `scratch` is used up.
  ShadowHead(const Parts& parts, const http1::ForwardSettings& forward, http1::Gather& scratch);
  ShadowHead(const ShadowHead&) = delete;
  ShadowHead& operator=(const ShadowHead&) = delete;

  std::string_view text() const noexcept { return text_; }
  std::string_view method() const noexcept { return method_; }
  std::string_view target() const noexcept { return target_; }
  std::string_view authority() const noexcept { return fields_.front().value; }  // Host is first
  // Without Via, Forwarded and the like, which are the gateway's: they tell a redacted Host again.
  // Nor what the route sets: the record keeps what clients say.
  std::span<const Field> fields() const noexcept { return fields_; }

 private:
  void index(const http1::HeaderEdits* edits);

  std::string text_;
  std::string_view method_;
  std::string_view target_;
  std::vector<Field> fields_;
};

}  // namespace segue::gateway
