// Any bytes as the PEM files of a listener with TLS: what is before the first NUL is the certificate's
// file, what is behind it that of the key. A context or one line that names a file, never both; what
// is accepted is a pair, and nothing is left in OpenSSL's queue of errors, where the next connection
// would find it.
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"
#include "runtime/pem_files.hpp"
#include "runtime/tls.hpp"
#include "runtime/tls_identity.hpp"
#include "runtime/tls_tickets.hpp"

namespace {

using namespace segue;
using namespace segue::runtime;

// A file in memory, which has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : descriptor_(memfd_create("pem", MFD_CLOEXEC)) {
    ensure(descriptor_ >= 0, "a file in memory");
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    ensure(written == static_cast<ssize_t>(text.size()), "a file in memory takes its text");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

void refused_well(const StartupError& error) {
  const std::string_view line = error.what();
  ensure(line.find("/proc/self/fd/") != std::string_view::npos, "a refusal that names no file");
  ensure(line.find('\n') == std::string_view::npos, "a refusal of several lines");
}

// Whether it was accepted.
template <class Use>
bool accepted(Use use) {
  bool good = true;
  try {
    use();
  } catch (const StartupError& error) {
    refused_well(error);
    good = false;
  }
  ensure(ERR_peek_error() == 0, "an error is left behind");
  return good;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find('\0');
  const MemoryFile certificate(text.substr(0, cut));
  const MemoryFile key(cut == std::string_view::npos ? text : text.substr(cut + 1));
  const PemFiles files({certificate.path(), key.path()});

  const bool identity = accepted([&] {
    const Identity found = parse_identity(files, certificate.path(), key.path());
    ensure(X509_check_private_key(found.certificate.get(), found.key.get()) == 1, "a pair");
    for (const std::string& name : found.names) {
      ensure(!name.empty() && name.find('\0') == std::string::npos, "a name is one");
      ensure(comparable_name(name) == name || name.ends_with('.'), "names are comparable");
    }
  });
  const bool authorities = accepted([&] {
    ensure(!parse_authorities(files, certificate.path()).empty(), "an authority at least");
  });
  ensure(authorities || !identity, "whose certificate is read is an authority's, too");
  const bool context = accepted([&] {
    TlsServerSettings settings;
    settings.certificates.push_back({certificate.path(), key.path()});
    const TlsContext tls = TlsContext::server(settings, files, TicketKeys::fresh());
  });
  ensure(identity || !context, "nothing is shown that was refused");
  return 0;
}
