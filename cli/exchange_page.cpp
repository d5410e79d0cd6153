#include <fmt/format.h>

#include <iterator>

#include "cli/exchange_text.hpp"
#include "cli/listing.hpp"
#include "cli/show.hpp"

namespace segue::cli {
namespace {

constexpr std::size_t kShownBodyBytes = 16 << 10;

class Page {
 public:
  // "  route       search-read"; nothing where the value is empty.
  void line(std::string_view label, std::string_view value) {
    if (value.empty()) return;
    fmt::format_to(std::back_inserter(text_), "  {:<12} {}\n", label, printable(value));
  }
  void heading(std::string_view text) {
    fmt::format_to(std::back_inserter(text_), "\n{}\n", printable(text));
  }
  void body(std::string_view text) {
    text_ += printable(text, Lines::keep);
    if (!text.ends_with('\n')) text_ += '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string in_parentheses(std::string_view text) {
  return text.empty() ? std::string{} : fmt::format(" ({})", text);
}

void add_identity(Page& page, const v1::Exchange& exchange) {
  page.line("exchange", id_text(exchange.id()));
  page.line("kind", kind_name(exchange.kind()));
  page.line("parent", id_text(exchange.parent_id()));
  page.line("created", time_text(exchange.created_at()));
  page.line("outcome", fmt::format("{}{}", outcome_name(exchange.outcome()),
                                   in_parentheses(exchange.refusal())));
  page.line("account", exchange.account_id());
  const v1::Provenance& provenance = exchange.provenance();
  page.line("recorded by", fmt::format("{} on {}, segue {}, configuration {}{}",
                                       provenance.service(), provenance.instance(),
                                       provenance.version(), provenance.config_version(),
                                       in_parentheses(provenance.config_revision())));
  page.line("trace", hex(exchange.trace().trace_id()));
}

void add_decision(Page& page, const v1::Decision& decision) {
  page.heading("Decision");
  page.line("route", decision.route().empty()
                         ? "none"
                         : decision.route() + in_parentheses(decision.path_template()));
  page.line("backend", decision.backend() + in_parentheses(decision.role()));
  page.line("in place of", decision.fallback_from());
  page.line("endpoint", decision.endpoint());
  if (decision.has_bucket()) page.line("bucket", std::to_string(decision.bucket()));
  for (const v1::Parameter& parameter : decision.parameters())
    page.line("parameter", fmt::format("{} = {}", parameter.name(), parameter.value()));
  for (const v1::Field& input : decision.inputs())
    page.line("input", fmt::format("{}: {}", input.name(), input.value()));
  page.line("shadow", decision.shadow());
}

void add_moment(Page& page, std::string_view label, bool known, std::int64_t micros) {
  if (known) page.line(label, fmt::format("{:>10.3f} ms", static_cast<double>(micros) / 1e3));
}

void add_timing(Page& page, const v1::Exchange& exchange) {
  const v1::Timing& timing = exchange.timing();
  page.heading("Timing, since the request's head was received");
  add_moment(page, "connected", timing.has_connect(), timing.connect());
  add_moment(page, "TLS", timing.has_tls(), timing.tls());
  add_moment(page, "sent", timing.has_request_sent(), timing.request_sent());
  add_moment(page, "first byte", timing.has_first_byte(), timing.first_byte());
  add_moment(page, "last byte", timing.has_last_byte(), timing.last_byte());
  for (const v1::Attempt& attempt : exchange.attempts())
    page.line("attempt", fmt::format("{:>10.3f} ms  {}  {}", static_cast<double>(attempt.at()) / 1e3,
                                     attempt.endpoint(),
                                     attempt.error().empty() ? "answered" : attempt.error()));
}

void add_fields(Page& page, const auto& fields) {
  std::string lines;
  for (const v1::Field& field : fields)
    fmt::format_to(std::back_inserter(lines), "{}: {}\n", printable(field.name()),
                   printable(field.value()));
  if (!lines.empty()) page.body(lines);
}

void add_body(Page& page, const v1::Body& body) {
  if (body.capture() == v1::CAPTURE_ABSENT) return;
  const bool complete = body.capture() == v1::CAPTURE_COMPLETE;
  page.heading(fmt::format("[body: {} bytes{}{}]", body.size(),
                           complete ? "" : fmt::format(", {}", capture_name(body.capture())),
                           in_parentheses(body.reason())));
  if (!body.sha256().empty()) page.line("SHA-256", hex(body.sha256()));
  if (body.content().empty()) return;
  if (!is_readable(body)) {
    page.body(fmt::format("[{} bytes that are not text: --as json has them]",
                          body.content().size()));
    return;
  }
  page.body(std::string_view(body.content()).substr(0, kShownBodyBytes));
  if (body.content().size() > kShownBodyBytes)
    page.body(fmt::format("[{} bytes more: --as json has them]",
                          body.content().size() - kShownBodyBytes));
}

void add_request(Page& page, const v1::Exchange& exchange) {
  const v1::Request& request = exchange.request();
  const v1::Client& client = exchange.client();
  page.heading("Client");
  page.line("address", client.address());
  page.line("forwarded", client.forwarded_for());
  page.line("TLS", client.tls_version());
  page.line("asked for", fmt::format("{}://{}", request.scheme(), request.authority()));
  page.heading(fmt::format("{} {} HTTP/{}", request.method(), request.target(),
                           request.version()));
  add_fields(page, request.fields());
  add_body(page, request.body());
  add_fields(page, request.trailers());
}

void add_response(Page& page, const v1::Exchange& exchange) {
  if (!exchange.has_response()) return page.heading("No response");
  const v1::Response& response = exchange.response();
  for (const std::uint32_t status : response.interim())
    page.heading(fmt::format("HTTP/{} {}", response.version(), status));
  page.heading(fmt::format("HTTP/{} {} {}", response.version(), response.status(),
                           response.reason()));
  add_fields(page, response.fields());
  add_body(page, response.body());
  add_fields(page, response.trailers());
}

void add_redactions(Page& page, const v1::Exchange& exchange) {
  if (exchange.redactions_size() == 0) return;
  page.heading("Redacted");
  for (const v1::Redaction& redaction : exchange.redactions())
    page.line(redaction_part_name(redaction.part()),
              fmt::format("{} ({}, {} times)", redaction.rule(),
                          redaction_mode_name(redaction.mode()), redaction.count()));
}

}  // namespace

std::string exchange_page(const v1::Exchange& exchange) {
  Page page;
  add_identity(page, exchange);
  if (exchange.has_finish())
    page.line("finish", fmt::format("{} bytes from the client, {} to it",
                                    exchange.finish().bytes_from_client(),
                                    exchange.finish().bytes_to_client()));
  if (exchange.kind() == v1::KIND_FINISH) return page.take();
  add_decision(page, exchange.decision());
  add_timing(page, exchange);
  add_request(page, exchange);
  add_response(page, exchange);
  add_redactions(page, exchange);
  return page.take();
}

}  // namespace segue::cli
