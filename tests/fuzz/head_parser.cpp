#include "gateway/http1/head_parser.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include "exchange/ensure.hpp"
#include "gateway/http1/forward.hpp"

// The first byte chooses where the input is cut, the second which parser reads it. Whatever the
// bytes: whole and cut input get the same answer, and a head that is accepted and forwarded reads
// as the same message to the next strict reader.
namespace segue::gateway::http1 {
namespace {

constexpr HeadLimits kLimits{.head_bytes = 2048, .fields = 20, .target_bytes = 256};
constexpr ForwardSettings kSettings{.via = "segue",
                                    .client_address = "192.0.2.1",
                                    .scheme = "http",
                                    .trusted_peer = true,
                                    .underscore = UnderscoreNames::forward};

void same(const MessageHead& a, const MessageHead& b) {
  ensure(a.framing == b.framing, "framing depends on the cut");
  ensure(a.content_length == b.content_length, "length depends on the cut");
  ensure(a.bytes == b.bytes, "head ends elsewhere");
  ensure(a.keep_alive == b.keep_alive, "keep-alive depends on the cut");
  ensure(a.field_lines == b.field_lines, "field lines depend on the cut");
  ensure(a.known == b.known, "fields depend on the cut");
  for (std::size_t i = 0; i < a.fields.size(); ++i)
    ensure(a.fields[i].name == b.fields[i].name && a.fields[i].value == b.fields[i].value,
           "a field depends on the cut");
}

std::string joined(Gather& gather) {
  std::string text;
  for (const iovec& piece : gather.pieces())
    text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  ensure(text.size() == gather.bytes(), "gather miscounted");
  return text;
}

// Calls `parse` with `raw` cut at `cut`, the second time in other memory; byte by byte when `cut`
// is 0. Returns the buffer that the last answer points into.
template <class Parse>
std::unique_ptr<std::string> feed_cut(std::string_view raw, std::size_t cut, Parse&& parse) {
  auto buffer = std::make_unique<std::string>(raw.substr(0, cut));
  std::size_t size = cut;
  while (parse(*buffer) == ParseState::need_more && size < raw.size()) {
    size = cut == 0 ? size + 1 : raw.size();
    buffer = std::make_unique<std::string>(raw.substr(0, size));
  }
  return buffer;
}

void nothing_that_ends_here(const RequestHead& head) {
  for (const KnownField known : head.known)
    ensure(known != KnownField::connection && known != KnownField::te &&
               known != KnownField::upgrade && known != KnownField::segue &&
               known != KnownField::trailer && known != KnownField::proxy_authorization,
           "a field that ends here was forwarded");
}

void forward_request(const RequestHead& head) {
  Gather gather;
  write_request_head(head, head.target, head.authority.empty() ? "backend" : head.authority,
                     head.framing, kSettings, gather);
  const std::string text = joined(gather);
  RequestParser next({.head_bytes = 64 << 10, .fields = 100, .target_bytes = 8 << 10});
  ensure(next.parse(text) == ParseState::done, "a forwarded head is refused");
  ensure(next.head().bytes == text.size(), "a forwarded head ends early");
  ensure(next.head().framing == head.framing, "a forwarded head is framed differently");
  ensure(next.head().content_length == head.content_length, "a forwarded length differs");
  ensure(next.head().method == head.method && next.head().target == head.target,
         "a forwarded request line differs");
  nothing_that_ends_here(next.head());
}

void fuzz_request(std::string_view raw, std::size_t cut) {
  RequestParser whole(kLimits);
  RequestParser pieces(kLimits);
  ParseState state = ParseState::need_more;
  const auto buffer =
      feed_cut(raw, cut, [&](std::string_view bytes) { return state = pieces.parse(bytes); });
  ensure(whole.parse(raw) == state, "the answer depends on the cut");
  if (state == ParseState::refused)
    ensure(std::string_view(whole.refusal().reason) == pieces.refusal().reason &&
               whole.refusal().status == pieces.refusal().status,
           "the reason depends on the cut");
  if (state != ParseState::done) return;
  same(whole.head(), pieces.head());
  ensure(whole.head().method == pieces.head().method, "method depends on the cut");
  ensure(whole.head().target == pieces.head().target, "target depends on the cut");
  ensure(whole.head().authority == pieces.head().authority, "authority depends on the cut");
  forward_request(pieces.head());
}

void forward_response(const ResponseHead& head) {
  Gather gather;
  write_response_head(head, {.via = "segue", .framing = head.framing}, gather);
  const std::string text = joined(gather);
  ResponseParser next({.head_bytes = 64 << 10, .fields = 100, .target_bytes = 8 << 10});
  const char* method = head.framing == Framing::none ? "HEAD" : "GET";
  ensure(next.parse(text, method) == ParseState::done, "a forwarded answer is refused");
  ensure(next.head().bytes == text.size(), "a forwarded answer ends early");
  ensure(next.head().framing == head.framing, "a forwarded answer is framed differently");
  ensure(next.head().content_length == head.content_length, "a forwarded length differs");
  ensure(next.head().status == head.status, "a forwarded status differs");
}

void fuzz_response(std::string_view raw, std::size_t cut) {
  ResponseParser whole(kLimits);
  ResponseParser pieces(kLimits);
  ParseState state = ParseState::need_more;
  const auto buffer = feed_cut(
      raw, cut, [&](std::string_view bytes) { return state = pieces.parse(bytes, "GET"); });
  ensure(whole.parse(raw, "GET") == state, "the answer depends on the cut");
  if (state == ParseState::refused)
    ensure(std::string_view(whole.refusal().reason) == pieces.refusal().reason,
           "the reason depends on the cut");
  if (state != ParseState::done) return;
  same(whole.head(), pieces.head());
  ensure(whole.head().reason == pieces.head().reason, "the reason phrase depends on the cut");
  forward_response(pieces.head());
}

}  // namespace
}  // namespace segue::gateway::http1

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string raw(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = std::min<std::size_t>(data[0], raw.size());
  if (data[1] & 1) {
    segue::gateway::http1::fuzz_response(raw, cut);
  } else {
    segue::gateway::http1::fuzz_request(raw, cut);
  }
  return 0;
}
