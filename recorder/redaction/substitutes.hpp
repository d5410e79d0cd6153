#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/mask.hpp"
#include "recorder/redaction/seal.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

using RuleIndex = std::uint16_t;

// A rule on parameters, JSON values or patterns. `label` is how the record calls it: "query:token",
// "json:$..password", "form:card", "pattern:email".
struct Rule {
  std::string label;
  RedactionMode mode;
};

// A stretch of text that a rule hides.
struct Hit {
  std::size_t begin;
  std::size_t end;
  RuleIndex rule;
  std::string value;  // what is hashed: the value without the encoding of the place it stands in
};

// Makes what stands in place of hidden values, and counts them by part of the record and rule. One
// thread.
class Substitutes {
 public:
  static constexpr std::size_t kParts = 7;  // of exchange.proto's Redaction.Part

  // `sealer` may be null: hash and encrypt mask then. It must outlive this.
  explicit Substitutes(Sealer* sealer) : sealer_(sealer) {}

  // Begins an exchange: nothing is counted yet. The rules must stay until the next start().
  void start(std::span<const Rule> rules);
  // What follows belongs to this part of the record.
  void enter(std::size_t part) noexcept { part_ = part; }

  // Appends what stands in place of `raw`; `value` is what is hashed.
  void put(RuleIndex rule, std::string_view value, std::string_view raw, SealedForm form,
           std::string& out);
  // The same by a mode alone, uncounted: for header fields, which are counted elsewhere.
  void put(RedactionMode mode, std::string_view value, std::string& out);
  // Notes a value that is hidden without a substitute of its own.
  void note(RuleIndex rule) noexcept;

  // Appends `text` with the hits replaced. They are sorted here; where they overlap, one substitute
  // in the stricter mode covers all of them.
  void replace(std::string_view text, std::vector<Hit>& hits, std::string& out);

  bool has_key() const noexcept { return sealer_ != nullptr; }
  std::span<const Rule> rules() const noexcept { return rules_; }
  std::uint32_t count(std::size_t part, std::size_t rule) const noexcept {
    return counts_[part * rules_.size() + rule];
  }

 private:
  void append(RedactionMode mode, std::string_view value, std::string_view raw, SealedForm form,
              std::string& out);

  Sealer* sealer_;
  std::span<const Rule> rules_;
  std::size_t part_ = 0;
  std::vector<std::uint32_t> counts_;  // by part and rule
};

}  // namespace segue::recorder
