#include "gateway/listening/proxy_header.hpp"

#include <cstdint>
#include <string_view>

#include "exchange/ensure.hpp"

// Whatever the bytes: an answer that is given for a beginning is the answer for the whole, a header
// lies within what came and within its bound, and a listener of one version takes nothing that a
// listener of any does not.
namespace segue::gateway {
namespace {

using State = ProxyHeader::State;

bool same(const ProxyHeader& a, const ProxyHeader& b) {
  if (a.state != b.state) return false;
  if (a.state == State::refused) return std::string_view(a.reason) == b.reason;
  return a.speaker == b.speaker && a.bytes == b.bytes && a.source == b.source &&
         a.destination == b.destination;
}

void fuzz(std::string_view raw) {
  const ProxyHeader whole = read_proxy_header(raw, ProxyProtocol::any);
  if (whole.state == State::done) {
    ensure(whole.bytes <= raw.size(), "a header that had not come");
    ensure(whole.bytes <= (raw.front() == 'P' ? kMaxProxyLine : kMaxProxyHeader), "too long");
  }
  if (raw.size() >= kMaxProxyHeader) ensure(whole.state != State::need_more, "waits for ever");
  for (std::size_t cut = 0; cut < raw.size(); ++cut) {
    const ProxyHeader part = read_proxy_header(raw.substr(0, cut), ProxyProtocol::any);
    if (part.state == State::need_more) continue;
    ensure(same(part, whole), "the answer depends on the cut");
    break;
  }
  for (const ProxyProtocol version : {ProxyProtocol::v1, ProxyProtocol::v2}) {
    const ProxyHeader one = read_proxy_header(raw, version);
    if (one.state == State::done) ensure(same(one, whole), "the answer depends on the listener");
  }
}

}  // namespace
}  // namespace segue::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segue::gateway::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
