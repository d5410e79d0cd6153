#include "gateway/credentials.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "exchange/error.hpp"

namespace segue::gateway {
namespace {

using runtime::CertificateInfo;
using runtime::MonotonicNs;
using runtime::PemFiles;

// A ticket that was sealed last with a key is good for as long as a session may be resumed, and the
// key is kept for one more turn.
constexpr std::chrono::seconds kTicketTurn{runtime::kTlsSessionSeconds};

std::string day_of(std::int64_t unix_seconds) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

}  // namespace

std::string Credentials::Side::key() const {
  return fmt::format("{}s.{}.tls", label, owner);
}

std::vector<std::string> Credentials::Side::file_names() const {
  return server != nullptr ? runtime::files_of(*server) : runtime::files_of(*client);
}

Credentials::Credentials(const GatewaySettings& settings)
    : settings_(settings), rotate_at_(runtime::after(runtime::monotonic_now(), kTicketTurn)) {
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    const ListenerSettings& listener = settings.listeners[i];
    tickets_.push_back(runtime::TicketKeys::fresh());
    if (listener.tls)
      sides_.push_back({.label = "listener",
                        .owner = listener.name,
                        .server = &*listener.tls,
                        .client = nullptr,
                        .index = i});
  }
  for (std::size_t i = 0; i < settings.backends.size(); ++i) {
    const BackendSettings& backend = settings.backends[i];
    if (backend.tls)
      sides_.push_back({.label = "backend",
                        .owner = backend.name,
                        .server = nullptr,
                        .client = &*backend.tls,
                        .index = i});
  }
  for (Side& side : sides_) load(side);
  publish();
}

void Credentials::load(Side& side) const {
  auto files = std::make_unique<const PemFiles>(side.file_names());
  try {
    side.certificates = make_one(side, *files).certificates();
  } catch (const StartupError& error) {
    throw StartupError(side.key() + ": " + error.what());
  }
  side.files = std::move(files);
}

runtime::TlsContext Credentials::make_one(const Side& side, const PemFiles& files) const {
  if (side.server != nullptr)
    return runtime::TlsContext::server(*side.server, files, tickets_[side.index]);
  return runtime::TlsContext::client(*side.client, files);
}

CoreTls Credentials::make() const {
  return make(Which::all);
}

std::optional<CoreTls> Credentials::make_renewed() const {
  if (std::ranges::none_of(sides_, &Side::renewed)) return std::nullopt;
  return make(Which::renewed);
}

CoreTls Credentials::make(Which which) const {
  CoreTls made;
  made.listeners.resize(settings_.listeners.size());
  made.backends.resize(settings_.backends.size());
  for (const Side& side : sides_) {
    if (which == Which::renewed && !side.renewed) continue;
    auto& place = side.server != nullptr ? made.listeners[side.index] : made.backends[side.index];
    place = make_one(side, *side.files);
  }
  return made;
}

std::vector<std::string> Credentials::renew(When when) {
  std::vector<std::string> news;
  for (Side& side : sides_) {
    side.renewed = false;
    renew(side, when, news);
  }
  if (runtime::monotonic_now() >= rotate_at_) rotate_tickets();
  return news;
}

void Credentials::renew(Side& side, When when, std::vector<std::string>& news) {
  auto files = std::make_unique<const PemFiles>(side.file_names());
  const std::string& found = files->fingerprint();
  if (found == side.files->fingerprint()) side.refused.clear();  // put back as it was
  if (when == When::changed && (found == side.files->fingerprint() || found == side.refused))
    return;
  try {
    side.certificates = make_one(side, *files).certificates();
  } catch (const StartupError& error) {  // what would have refused the start
    side.refused = found;
    ++failures_;
    news.push_back(
        fmt::format("{}: {}; going on with what was loaded before", side.key(), error.what()));
    return;
  }
  side.files = std::move(files);
  side.refused.clear();
  side.renewed = true;
  ++renewals_;
  news.push_back(fmt::format("{}: files loaded anew", side.key()));
  add_warnings(side, news);
}

// Contexts hold copies of the keys: all listeners are renewed, from the files as they were loaded.
void Credentials::rotate_tickets() {
  for (runtime::TicketKeys& keys : tickets_) keys = keys.rotated();
  for (Side& side : sides_) side.renewed = side.renewed || side.server != nullptr;
  rotate_at_ = runtime::after(runtime::monotonic_now(), kTicketTurn);
}

void Credentials::add_warnings(const Side& side, std::vector<std::string>& lines) {
  const std::int64_t now = std::time(nullptr);
  for (const CertificateInfo& certificate : side.certificates)
    if (certificate.not_after < now)
      lines.push_back(
          fmt::format("{}: the certificate '{}' expired on {}: peers refuse it; have it renewed",
                      side.key(), certificate.file, day_of(certificate.not_after)));
}

std::vector<std::string> Credentials::warnings() const {
  std::vector<std::string> lines;
  for (const Side& side : sides_) add_warnings(side, lines);
  return lines;
}

void Credentials::publish() {
  std::vector<Status::Certificate> all;
  for (const Side& side : sides_)
    for (const CertificateInfo& certificate : side.certificates)
      all.push_back({side.label, side.owner, certificate});
  const std::lock_guard lock(mutex_);
  status_ = {std::move(all), renewals_, failures_};
}

Credentials::Status Credentials::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace segue::gateway
