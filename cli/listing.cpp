#include "cli/listing.hpp"

#include <fmt/format.h>

#include "cli/exchange_json.hpp"
#include "cli/exchange_text.hpp"
#include "cli/output.hpp"
#include "cli/text_column.hpp"

namespace segue::cli {
namespace {

constexpr std::size_t kTargetWidth = 40;
constexpr std::size_t kShortId = 18;

std::string painted_status(const Paint& paint, std::uint32_t status) {
  if (status == 0) return paint.faint("  -");
  const std::string text = fmt::format("{:3}", status);
  if (status >= 500) return paint.error(text);
  return status >= 400 ? paint.strong(text) : paint.good(text);
}

// What a person should not overlook: anything but a completed primary.
std::string note(const v1::Exchange& exchange) {
  std::string text;
  if (exchange.kind() != v1::KIND_PRIMARY) text += fmt::format("  {}", kind_name(exchange.kind()));
  if (exchange.outcome() != v1::OUTCOME_COMPLETED)
    text += fmt::format("  {}", outcome_name(exchange.outcome()));
  if (!exchange.refusal().empty()) text += fmt::format(" ({})", printable(exchange.refusal()));
  return text;
}

std::string finish_line(const v1::Exchange& finish) {
  std::string time = time_text(finish.created_at()).substr(0, 23);
  time[10] = ' ';
  return fmt::format("{}  FINISH of {}  {}  {} bytes from the client, {} to it", time,
                     id_text(finish.parent_id()), outcome_name(finish.outcome()),
                     finish.finish().bytes_from_client(), finish.finish().bytes_to_client());
}

}  // namespace

std::string short_id(const v1::Exchange& exchange) {
  return id_text(exchange.id()).substr(0, kShortId);
}

std::string latency_text(const v1::Exchange& exchange) {
  if (!exchange.timing().has_last_byte()) return "-";
  const auto micros = static_cast<double>(exchange.timing().last_byte());
  if (micros < 1e3) return fmt::format("{:.0f} us", micros);
  if (micros < 1e6) return fmt::format("{:.1f} ms", micros / 1e3);
  return fmt::format("{:.2f} s", micros / 1e6);
}

std::string Listing::text_line(const v1::Exchange& exchange) const {
  if (exchange.kind() == v1::KIND_FINISH) return finish_line(exchange);
  std::string time = time_text(exchange.created_at()).substr(0, 23);
  time[10] = ' ';
  const std::string remark = note(exchange);
  const auto shown_or_dash = [](const std::string& text) {
    return text.empty() ? std::string("-") : printable(text);
  };
  return fmt::format("{}  {}     {} {} {} {} {:>8}  {}{}", time,
                     painted_status(paint_, exchange.response().status()),
                     text_column(printable(exchange.request().method()), 7),
                     text_column(printable(exchange.request().target()), kTargetWidth),
                     text_column(shown_or_dash(exchange.decision().route()), 16),
                     text_column(shown_or_dash(exchange.decision().backend()), 10),
                     latency_text(exchange), short_id(exchange),
                     remark.empty() ? remark : paint_.error(remark));
}

void Listing::print(const v1::Exchange& exchange) {
  if (form_ == OutputForm::json) return write_out(exchange_json(exchange) + '\n');
  if (!headed_) {
    headed_ = true;
    write_out(fmt::format("{:<23}  {:<7} {:<7} {:<{}} {:<16} {:<10} {:>8}  {}\n", "TIME (UTC)",
                          "STATUS", "METHOD", "TARGET", kTargetWidth, "ROUTE", "BACKEND",
                          "LATENCY", "ID"));
  }
  write_out(text_line(exchange) + '\n');
}

void Listing::flush() { flush_out(); }

}  // namespace segue::cli
