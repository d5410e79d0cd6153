#include "cli/unsealing.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "exchange/error.hpp"
#include "recorder/redaction/keys.hpp"
#include "recorder/utf8.hpp"

namespace segue::cli {
namespace {

std::string check_key(const std::string& text) {
  const std::size_t equals = text.find('=');
  const bool whole = equals != std::string::npos && equals > 0 && equals + 1 < text.size();
  return whole ? std::string{} : "write a key as NAME=FILE, not " + text;
}

// One exchange's fields.
class Walk {
 public:
  explicit Walk(recorder::Opener& opener) : opener_(opener) {}

  void exchange(v1::Exchange& exchange) {
    if (exchange.has_decision()) {
      for (v1::Parameter& parameter : *exchange.mutable_decision()->mutable_parameters())
        bytes(*parameter.mutable_value());
      fields(*exchange.mutable_decision()->mutable_inputs());
    }
    if (exchange.has_client()) {
      text(*exchange.mutable_client()->mutable_forwarded_for());
      text(*exchange.mutable_client()->mutable_server_name());
    }
    if (exchange.has_request()) request(*exchange.mutable_request());
    if (exchange.has_response()) response(*exchange.mutable_response());
  }
  std::uint64_t opened() const { return opened_; }
  std::uint64_t closed() const { return closed_; }

 private:
  void bytes(std::string& value) {
    const recorder::Opener::Count count = opener_.open_all(value);
    opened_ += count.opened;
    closed_ += count.closed;
  }
  // What a message calls text must stay UTF-8.
  void text(std::string& value) {
    std::string opened = value;
    bytes(opened);
    if (recorder::is_utf8(opened)) value = std::move(opened);
  }
  void fields(auto& list) {
    for (v1::Field& field : list) bytes(*field.mutable_value());
  }
  void request(v1::Request& request) {
    text(*request.mutable_method());
    bytes(*request.mutable_authority());
    bytes(*request.mutable_target());
    fields(*request.mutable_fields());
    fields(*request.mutable_trailers());
    if (request.has_body()) bytes(*request.mutable_body()->mutable_content());
  }
  void response(v1::Response& response) {
    bytes(*response.mutable_reason());
    fields(*response.mutable_fields());
    fields(*response.mutable_trailers());
    if (response.has_body()) bytes(*response.mutable_body()->mutable_content());
  }

  recorder::Opener& opener_;
  std::uint64_t opened_ = 0;
  std::uint64_t closed_ = 0;
};

}  // namespace

void Unsealing::add_to(CLI::App& command) {
  const std::string group = "Encrypted values";
  command
      .add_flag("--unseal", from_configuration_,
                "Show encrypted values, with the keys of the configuration")
      ->group(group);
  command.add_option("--key", key_files_, "NAME=FILE: show what was encrypted with this key")
      ->allow_extra_args(false)
      ->check(CLI::Validator(check_key, "NAME=FILE"))
      ->group(group);
}

void Unsealing::prepare(const recorder::KeySettings& configured) {
  if (!wanted()) return;
  std::vector<recorder::RedactionKey> keys;
  for (const std::string& text : key_files_) {
    const std::size_t equals = text.find('=');
    keys.push_back(recorder::read_key_file(text.substr(0, equals), text.substr(equals + 1)));
  }
  if (from_configuration_)
    for (recorder::RedactionKey& key : recorder::load_all_keys(configured))
      keys.push_back(std::move(key));
  if (keys.empty())
    throw StartupError("--unseal: the configuration has no recorder.keys; give --key NAME=FILE");
  opener_ = std::make_unique<recorder::Opener>(std::move(keys));
}

void Unsealing::unseal(v1::Exchange& exchange) {
  if (opener_ == nullptr) return;
  Walk walk(*opener_);
  walk.exchange(exchange);
  closed_ += walk.closed();
  if (walk.opened() == 0 || walk.closed() != 0) return;
  auto& redactions = *exchange.mutable_redactions();
  const auto kept = std::remove_if(redactions.begin(), redactions.end(), [](const auto& one) {
    return one.mode() == v1::Redaction::ENCRYPT;
  });
  redactions.erase(kept, redactions.end());
}

}  // namespace segue::cli
