// Any text with sealed values in it. What was sealed is opened as it was, whatever stands around
// it; one character changed, and it stays closed.
#include <cstdint>
#include <string>
#include <string_view>

#include "exchange/ensure.hpp"
#include "recorder/redaction/keys.hpp"
#include "recorder/redaction/seal.hpp"

namespace {

using namespace segue::recorder;
using segue::ensure;

RedactionKey key(char fill) {
  RedactionKey made{.id = "k2"};
  made.bytes.fill(static_cast<unsigned char>(fill));
  return made;
}

}  // namespace

// The first byte says where the rest is cut: what is sealed, and what stands around it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Sealer sealer(key('a'), 3);
  static Opener opener({key('a')});
  static Opener stranger({key('b')});
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view plain = rest.substr(0, data[0]);
  const std::string_view around = rest.substr(plain.size());

  std::string text(rest);
  const auto count = opener.open_all(text);
  ensure(count.opened == 0 && text == rest, "something opened that nobody sealed");

  // Before it a blank and behind it another: base64url goes on as long as it can.
  std::string sealed;
  sealer.seal(plain, SealedForm::text, sealed);
  const std::string whole = std::string(around) + " " + sealed + " " + std::string(around);
  text = whole;
  ensure(opener.open_all(text).opened == 1, "what was sealed stays closed");
  ensure(text == std::string(around) + " " + std::string(plain) + " " + std::string(around),
         "what was opened is not what was sealed");
  text = whole;
  ensure(stranger.open_all(text).opened == 0 && text == whole, "another key opened it");

  const std::size_t at = sealed.size() - 1 - data[0] % (sealed.size() - 5);
  std::string changed = sealed;
  changed[at] = changed[at] == 'A' ? 'B' : 'A';
  text = changed;
  const bool opened = opener.open_all(text).opened != 0;
  // The last character may hold bits that mean nothing.
  ensure(!opened || at + 1 == sealed.size(), "a changed value was opened");
  return 0;
}
