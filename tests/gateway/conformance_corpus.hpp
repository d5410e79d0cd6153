#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Requests and responses that the authors of other parsers collected, with their verdicts.
namespace segue::gateway::http1 {

enum class MessageKind : std::uint8_t { request, response };
enum class Verdict : std::uint8_t { accepted, rejected };

// What its authors read of it; llhttp logs it, gunicorn's files alone do not say.
struct TheirReading {
  std::size_t messages = 0;  // that came to their end
  std::size_t content = 0;   // bytes of all bodies, an unfinished one included
};

struct CorpusCase {
  std::string name;  // "gunicorn/valid/001.http", "llhttp/request/uri.md: Space in URI"
  MessageKind kind = MessageKind::request;
  std::string raw;  // the bytes on the wire; perhaps several messages, the last one unfinished
  Verdict verdict = Verdict::accepted;
  std::optional<TheirReading> reading;  // of accepted ones
};

struct Corpus {
  std::vector<CorpusCase> cases;
  std::map<std::string, std::size_t> left_out;  // why, and how many
};

// $SEGUE_CONFORMANCE, or shared/conformance in the folder that the source tree is in. Throws
// std::runtime_error with what to do when the corpora are not there.
std::filesystem::path conformance_folder();

// tests/requests/{valid,invalid}/*.http of gunicorn: what the folder's name says. All are replayed.
Corpus read_gunicorn(const std::filesystem::path& folder);

// test/**/*.md of llhttp: rejected when the log ends in an error, unless that is the end of HTTP on
// the connection (an upgrade, or bytes after a message that closes it). Left out is what is told
// to the parser beside the bytes: modes of leniency, and that a response has no body.
// A target of url.md is put into a GET.
Corpus read_llhttp(const std::filesystem::path& folder);

}  // namespace segue::gateway::http1
