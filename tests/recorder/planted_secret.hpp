#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/settings.hpp"
#include "tests/recorder/sample_exchange.hpp"

namespace segue::test {

// Exchanges that carry one secret in some place and encoding, all of it covered by
// covering_rules(). For properties of the form: whatever is done with such an exchange, the secret
// never appears.
class PlantedSecret {
 public:
  explicit PlantedSecret(std::uint64_t seed);

  // Headers x-api-key; query and form parameters token; $..password; cards, e-mails, tok_...; each
  // in a mode of its own.
  static recorder::Redactions covering_rules(std::mt19937_64& random);

  const ExchangeView& view() const { return sample_.view; }
  const std::string& secret() const { return secret_; }
  const std::string& place() const { return place_; }  // for messages

  // Whether the secret, or an encoding of it that is easily undone, is within `bytes`.
  bool shows_in(std::string_view bytes) const;

 private:
  enum class Kind { named, card, email, regex };

  std::string word(std::size_t letters);
  std::string card();
  std::string percent_encoded(std::string_view text);
  std::string json_string(std::string_view text);
  std::string json_around(std::string value);
  std::string named_json();
  std::string form_body();
  std::string multipart_body();
  std::string untyped_part();
  std::string pattern_body();
  void plant_in_head();
  void plant_in_body();
  void set_body(std::string content, std::string_view type);
  std::string coded(std::string content, std::string& coding);
  bool flip() { return random_() % 2 == 0; }

  std::mt19937_64 random_;
  SampleExchange sample_;
  Kind kind_;
  std::string secret_;
  std::string place_;
};

}  // namespace segue::test
