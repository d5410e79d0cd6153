#include "compare/body_differ.hpp"

#include <algorithm>
#include <array>

#include "compare/lines_tree.hpp"
#include "recorder/redaction/content_coding.hpp"
#include "recorder/redaction/media_type.hpp"
#include "recorder/utf8.hpp"
#include "runtime/sha256.hpp"

namespace segue::compare {
namespace {

using recorder::BodyKind;
using recorder::Decoding;

// The backend came to no end, whatever was captured. That a client left does not count: only what
// had come to its end was copied.
bool is_broken_off(const v1::Exchange& exchange) {
  switch (exchange.outcome()) {
    case v1::OUTCOME_UPSTREAM_RESET:
    case v1::OUTCOME_UPSTREAM_TIMEOUT:
    case v1::OUTCOME_INTERRUPTED:
      return true;
    default:
      return false;
  }
}

// What the backend did to the body that it had begun, if that was it.
std::string_view break_of(const v1::Exchange& exchange) {
  if (exchange.outcome() == v1::OUTCOME_UPSTREAM_RESET) return "broken off (reset)";
  if (exchange.outcome() == v1::OUTCOME_UPSTREAM_TIMEOUT) return "broken off (timeout)";
  return {};
}

bool is_whole(const v1::Exchange& exchange) {
  return exchange.response().body().capture() == v1::CAPTURE_COMPLETE && !is_broken_off(exchange);
}

std::string_view reason_of(Decoding decoding) {
  switch (decoding) {
    case Decoding::unknown:
      return "unknown content coding";
    case Decoding::damaged:
      return "content coding damaged";
    case Decoding::too_long:
      return "decoded too long";
    case Decoding::done:
      break;
  }
  return {};
}

// "1,024 bytes" would need a locale; "1024 bytes, SHA-256 2c26b46b68ffc68f" is enough to tell.
std::string digest_text(std::uint64_t size, std::string_view sha256) {
  constexpr std::size_t kShown = 8;
  constexpr char kHex[] = "0123456789abcdef";
  std::string text = std::to_string(size) + " bytes";
  if (!sha256.empty()) text += ", SHA-256 ";
  for (const char c : sha256.substr(0, kShown)) {
    text += kHex[static_cast<unsigned char>(c) >> 4];
    text += kHex[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string digest_of(std::string_view bytes) {
  runtime::Sha256 hash;
  hash.add(bytes);
  return digest_text(bytes.size(), hash.end());
}

std::string digest_of(const v1::Body& body) { return digest_text(body.size(), body.sha256()); }

bool is_json_like(std::string_view content) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (content.starts_with(kByteOrderMark)) content.remove_prefix(kByteOrderMark.size());
  const std::size_t begin = content.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && (content[begin] == '{' || content[begin] == '[');
}

bool is_text(std::string_view content) {
  return content.find('\0') == std::string_view::npos && recorder::is_utf8(content);
}

// What was cut may end within a character of up to four octets.
std::string_view without_last_character(std::string_view content) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  for (int i = 0; i < 3 && !content.empty() && continues(content.back()); ++i)
    content.remove_suffix(1);
  return content.substr(0, content.empty() ? 0 : content.size() - 1);
}

}  // namespace

// The content of a body as it was before any coding; or why there is none to compare.
std::string_view BodyDiffer::take(const v1::Exchange& exchange, Side& side) {
  const v1::Body& body = exchange.response().body();
  side.content = {};
  side.hidden = HiddenValues::in_body(exchange);
  if (body.capture() == v1::CAPTURE_SKIPPED) return "skipped";
  if (body.capture() == v1::CAPTURE_TRUNCATED) return "truncated";
  if (is_broken_off(exchange)) return "broken off";
  side.content = body.content();
  if (side.content.empty() || body.coding_undone() || !recorder::has_coding(body.content_coding()))
    return {};
  const std::array<std::string_view, 1> coded{body.content()};
  const Decoding decoding = recorder::undo_codings(body.content_coding(), coded, side.decoded);
  side.content = side.decoded;
  return reason_of(decoding);
}

BodyDiffer::Form BodyDiffer::form_of(const v1::Body& body, std::string_view content) {
  const recorder::MediaType type = recorder::parse_media_type(body.content_type());
  switch (recorder::kind_of(type)) {
    case BodyKind::json:
      return Form::json;
    case BodyKind::json_lines:
      return Form::json_lines;
    case BodyKind::markup:
      return type.type == "text/xml" || type.type.ends_with("/xml") || type.type.ends_with("+xml")
                 ? Form::xml
                 : Form::lines;
    case BodyKind::text:
      return type.type == "text/html" ? Form::html : Form::lines;
    case BodyKind::events:
    case BodyKind::form:
      return Form::lines;
    case BodyKind::unknown:
      if (is_json_like(content)) return Form::json;
      return is_text(content) ? Form::lines : Form::bytes;
    case BodyKind::multipart:
    case BodyKind::binary:
      break;
  }
  return Form::bytes;
}

TreeMade BodyDiffer::make_tree(Form form, Side& side) const {
  if (stop_.stop_requested()) return TreeMade::too_large;
  switch (form) {
    case Form::json:
      return side.json.read(side.content, side.tree);
    case Form::json_lines:
      return side.json.read_lines(side.content, side.tree);
    case Form::xml:
      return read_xml(side.content, side.tree);
    case Form::html:
      return side.html.read(side.content, side.tree, stop_);
    case Form::lines:
    case Form::bytes:
      break;
  }
  return read_lines(side.content, side.tree);
}

std::string BodyDiffer::problem_of(Form form, const Side& side) {
  if (side.made != TreeMade::malformed) return std::string(side.content);
  std::string text = form == Form::xml ? "not XML" : "not JSON";
  if (form != Form::xml) {
    text += " (";
    text += side.json.problem();
    text += ")";
  }
  text += ": ";
  text += side.content;
  return text;
}

std::string_view BodyDiffer::compare_trees(DifferenceList& list) {
  const auto end = differ_->compare({left_.tree, left_.hidden}, {right_.tree, right_.hidden}, list);
  if (differ_->is_root_hidden()) return "redacted";
  switch (end) {
    case TreeDiffer::End::too_large:
      return "too large";
    case TreeDiffer::End::too_many_differences:
      return "too many differences";
    case TreeDiffer::End::stopped:
      return "stopped";
    case TreeDiffer::End::whole:
      break;
  }
  return {};
}

// What is malformed is said, and where both are they are compared as text.
std::string_view BodyDiffer::compare_malformed(Form form, DifferenceList& list) {
  const bool both = left_.made == right_.made;
  if (both && left_.content == right_.content) return {};
  list.add(Part::body, "", "", DifferenceKind::malformed, problem_of(form, left_),
           problem_of(form, right_));
  if (!both) return {};
  if (make_tree(Form::lines, left_) != TreeMade::done ||
      make_tree(Form::lines, right_) != TreeMade::done)
    return "too large";
  return compare_trees(list);
}

void BodyDiffer::compare_bytes(DifferenceList& list) const {
  if (left_.content == right_.content) return;
  const bool same_size = left_.content.size() == right_.content.size();
  list.add(Part::body, "", "", same_size ? DifferenceKind::value : DifferenceKind::length,
           digest_of(left_.content), digest_of(right_.content));
}

std::string_view BodyDiffer::compare_contents(const v1::Exchange& left, DifferenceList& list) {
  const bool has_hidden = left_.hidden.any() || right_.hidden.any();
  if (left_.content == right_.content && !has_hidden) return {};
  if (left_.content.empty() || right_.content.empty()) {
    if (left_.content == right_.content) return {};
    const bool is_missing = right_.content.empty();
    list.add(Part::body, "", "", is_missing ? DifferenceKind::missing : DifferenceKind::extra,
             left_.content, right_.content);
    return {};
  }
  Form form = form_of(left.response().body(), left_.content);
  if (form == Form::bytes) {
    compare_bytes(list);
    return {};
  }
  left_.made = make_tree(form, left_);
  right_.made = make_tree(form, right_);
  const recorder::MediaType type =
      recorder::parse_media_type(left.response().body().content_type());
  const bool is_guess = recorder::kind_of(type) == BodyKind::unknown;
  if (left_.made == TreeMade::too_large || right_.made == TreeMade::too_large) return "too large";
  if (left_.made == TreeMade::done && right_.made == TreeMade::done) return compare_trees(list);
  if (!is_guess) return compare_malformed(form, list);
  form = Form::lines;
  left_.made = make_tree(form, left_);
  right_.made = make_tree(form, right_);
  if (left_.made != TreeMade::done || right_.made != TreeMade::done) return "too large";
  return compare_trees(list);
}

// Where one side or both are not on record whole: equal digests are equal bodies, and others differ
// where nothing but octets is compared. Else that says nothing: JSON may be written in two ways, and
// be coded in two. False: it is not told.
bool BodyDiffer::compare_digests(const v1::Exchange& left, const v1::Exchange& right,
                                 DifferenceList& list) {
  const v1::Body& a = left.response().body();
  const v1::Body& b = right.response().body();
  if (a.sha256().empty() || b.sha256().empty() || (is_whole(left) && is_whole(right))) return false;
  if (is_broken_off(left) || is_broken_off(right) || a.content_coding() != b.content_coding())
    return false;
  if (a.size() == b.size() && a.sha256() == b.sha256()) return true;
  const bool is_cut = a.capture() == v1::CAPTURE_TRUNCATED;
  const std::string_view content = is_cut ? without_last_character(a.content()) : a.content();
  if (recorder::has_coding(a.content_coding()) || form_of(a, content) != Form::bytes) return false;
  list.add(Part::body, "", "",
           a.size() == b.size() ? DifferenceKind::value : DifferenceKind::length, digest_of(a),
           digest_of(b));
  return true;
}

// Members that redaction dropped are on neither side to be seen: the rule is named.
void BodyDiffer::list_dropped(const v1::Exchange& exchange, DifferenceList& list) {
  constexpr std::string_view kJson = "json:";
  for (const v1::Redaction& redaction : exchange.redactions()) {
    const std::string_view rule = redaction.rule();
    if (redaction.part() == v1::Redaction::RESPONSE && redaction.mode() == v1::Redaction::DROP &&
        rule.starts_with(kJson))
      list.hide(rule.substr(kJson.size()));
  }
}

std::string_view BodyDiffer::compare(const v1::Exchange& left, const v1::Exchange& right,
                                     DifferenceList& list) {
  const std::string_view reason = compare_bodies(left, right, list);
  if (left_.held() > kKeptBytes) left_ = Side();
  if (right_.held() > kKeptBytes) right_ = Side();
  if (differ_->held() > kKeptBytes) differ_.emplace(rules_, stop_);
  return reason;
}

std::string_view BodyDiffer::compare_bodies(const v1::Exchange& left, const v1::Exchange& right,
                                            DifferenceList& list) {
  const v1::Body& a = left.response().body();
  const v1::Body& b = right.response().body();
  list_dropped(left, list);
  list_dropped(right, list);
  // What is the same in one coding needs not be decoded to be the same.
  if (is_whole(left) && is_whole(right) && a.content() == b.content() &&
      a.content_coding() == b.content_coding() && a.coding_undone() == b.coding_undone() &&
      !HiddenValues::in_body(left).any() && !HiddenValues::in_body(right).any())
    return {};
  if (compare_digests(left, right, list)) return {};
  const std::string_view left_reason = take(left, left_);
  if (!left_reason.empty()) return left_reason;
  // What the right backend alone does not bring to its end, or codes wrongly, is what differs.
  std::string_view damage = break_of(right);
  const std::string_view right_reason = damage.empty() ? take(right, right_) : std::string_view();
  if (right_reason == reason_of(Decoding::damaged)) damage = right_reason;
  if (!damage.empty()) {
    list.add(Part::body, "", "", DifferenceKind::malformed, left_.content, damage);
    return {};
  }
  if (!right_reason.empty()) return right_reason;
  return compare_contents(left, list);
}

}  // namespace segue::compare
