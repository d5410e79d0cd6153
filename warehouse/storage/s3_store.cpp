#include "warehouse/storage/s3_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <random>

namespace segue::warehouse {
namespace {

constexpr std::string_view kProbe = ".tmp-probe-";  // never listed
constexpr std::string_view kTemporary = ".tmp-";
constexpr std::uint64_t kWhole = ~std::uint64_t{0};  // as long as the object is
constexpr std::uint64_t kMostParts = 10'000;         // of an upload, by S3's own limit
constexpr unsigned kAtOpening = 3;  // attempts: somebody waits who may have mistyped

std::string new_writer() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

FilePart whole_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  if (error)
    throw StorageError(
        fmt::format("{}: cannot read the file: {}", file.string(), error.message()));
  return {.file = file, .offset = 0, .bytes = bytes};
}

std::string mark(const std::string& writer) { return "x-amz-meta-segue-writer: " + writer; }

constexpr const char* kIfAbsent = "If-None-Match: *";

}  // namespace

struct S3Store::Content {
  std::string_view text;
  std::optional<FilePart> file;
};

// Aborts an upload with its scope, unless it is told that the upload is done.
class S3Store::AbortedUpload {
 public:
  AbortedUpload(S3Store& store, const std::string& key, const std::string& upload)
      : store_(store), key_(key), upload_(upload) {}
  ~AbortedUpload() {
    if (!done_) store_.abort_upload(key_, upload_);
  }
  AbortedUpload(const AbortedUpload&) = delete;
  AbortedUpload& operator=(const AbortedUpload&) = delete;

  Creation not_any_more(Creation creation) {
    done_ = true;
    return creation;
  }

 private:
  S3Store& store_;
  const std::string& key_;
  const std::string& upload_;
  bool done_ = false;
};

// What a probe makes goes with its scope. Who may not remove may write all the same: nobody lists it.
class S3Store::Probe {
 public:
  explicit Probe(S3Store& store)
      : store_(store), key_(store.full(std::string(kProbe) + new_writer())) {}
  ~Probe() {
    try {
      store_.client_.ask({.method = "DELETE", .key = key_});
    } catch (const std::exception&) {
      return;
    }
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  const std::string& key() const { return key_; }

 private:
  S3Store& store_;
  const std::string key_;
};

S3Store::S3Store(const ArchiveLocation& location, const S3Settings& settings, S3Limits limits)
    : root_(location.prefix.empty() ? "" : location.prefix + "/"),
      client_(location.name(), location.bucket, settings, std::move(limits)) {}

void S3Store::check() {
  S3Request request{.method = "GET", .key = {}};
  request.query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", root_}};
  request.attempts = kAtOpening;
  const S3Answer answer = client_.ask(request);
  if (!answer.good() || !parse_listing(answer.body))
    throw RemoteError(fmt::format("{}: it is no S3 server: it answers {} to a listing: check "
                                  "archive.s3.endpoint",
                                  name(), answer.status));
}

// All pages of a listing, one after the other.
void S3Store::each_page(const std::string& prefix, std::pair<std::string, std::string> more,
                        const std::function<void(const S3Listing&)>& take) {
  std::string next;
  do {
    S3Request request{.method = "GET", .key = {}};
    request.query = {{"list-type", "2"}, {"prefix", prefix}};
    if (!more.second.empty()) request.query.push_back(more);
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    const S3Answer answer = client_.ask(request);
    const auto page = answer.good() ? parse_listing(answer.body) : std::nullopt;
    const auto asked_for = [&](std::string_view key) { return key.starts_with(prefix); };
    if (!page || !std::ranges::all_of(page->objects, asked_for, &S3Listing::Object::key) ||
        !std::ranges::all_of(page->prefixes, asked_for) || (!next.empty() && page->next == next))
      throw RemoteError(fmt::format("{}: a listing cannot be read: is archive.s3.endpoint an S3 "
                                    "server?",
                                    name()));
    take(*page);
    next = page->next;
  } while (!next.empty());
}

void S3Store::list(std::string_view prefix, std::string_view after,
                   const std::function<void(const StoredObject&)>& take) {
  std::pair<std::string, std::string> from{"start-after", after.empty() ? "" : full(after)};
  each_page(full(prefix), std::move(from), [&](const S3Listing& page) {
    for (const S3Listing::Object& object : page.objects) {
      const std::string_view key = std::string_view(object.key).substr(root_.size());
      if (key.empty() || key.starts_with(kTemporary) || key.ends_with('/') || key <= after)
        continue;  // a slash at the end: a folder as consoles make them
      take({.key = std::string(key), .bytes = object.bytes});
    }
  });
}

std::vector<std::string> S3Store::folders(std::string_view prefix) {
  std::vector<std::string> names;
  const std::string base = full(prefix);
  each_page(base, {"delimiter", "/"}, [&](const S3Listing& page) {
    for (const std::string& found : page.prefixes) {
      std::string_view folder = std::string_view(found).substr(base.size());
      if (folder.ends_with('/')) folder.remove_suffix(1);
      names.emplace_back(folder);
    }
  });
  return names;
}

S3Answer S3Store::head(const std::string& key) {
  return client_.ask({.method = "HEAD", .key = key});
}

std::optional<std::uint64_t> S3Store::size(std::string_view key) {
  const auto found = version(key);
  if (!found) return std::nullopt;
  return found->bytes;
}

std::optional<ObjectVersion> S3Store::version(std::string_view key) {
  const S3Answer answer = head(full(key));
  if (answer.absent()) return std::nullopt;
  if (!answer.good() || !answer.length)
    throw RemoteError(
        fmt::format("{}: no size of '{}': it answers {}", name(), key, answer.status));
  return ObjectVersion{.bytes = *answer.length, .tag = answer.tag};
}

std::optional<std::string> S3Store::read(std::string_view key) {
  S3Request request{.method = "GET", .key = full(key)};
  request.most_bytes = kWhole;
  S3Answer answer = client_.ask(request);
  if (answer.absent()) return std::nullopt;
  return std::move(answer.body);
}

std::string S3Store::read(std::string_view key, std::uint64_t offset, std::uint64_t bytes) {
  if (bytes == 0) return {};
  S3Answer answer = range(key, offset, bytes, {});
  const bool short_of_it = answer.status == 206 && answer.body.size() < bytes;
  if (answer.status == 416 || short_of_it)
    throw StorageError(fmt::format("{}: '{}' ends before byte {}", name(), key, offset + bytes));
  return std::move(answer.body);
}

std::string S3Store::read_version(std::string_view key, const ObjectVersion& version,
                                  std::uint64_t offset, std::uint64_t bytes) {
  if (version.tag.empty() || bytes == 0 || offset + bytes > version.bytes)
    return read(key, offset, bytes);
  S3Answer answer = range(key, offset, bytes, {"If-Match: " + version.tag});
  // Not every server looks at the condition and at the content in one moment.
  const bool same = answer.status == 206 && answer.tag == version.tag &&
                    answer.whole == version.bytes && answer.body.size() == bytes;
  if (!same) throw replaced_while_read(*this, key);
  return std::move(answer.body);
}

// RFC 9110 section 14.1.2: a range that counts from the end.
std::optional<ObjectEnd> S3Store::read_end(std::string_view key, std::uint64_t bytes) {
  S3Answer answer = ask_range(key, fmt::format("-{}", bytes), bytes, {});
  if (answer.absent()) return std::nullopt;
  const bool is_end = answer.status == 206 && answer.whole &&
                      answer.body.size() == std::min(bytes, *answer.whole);
  // Nothing can be the end of an empty object.
  if (!is_end) return ObjectStore::read_end(key, bytes);
  return ObjectEnd{.version = {.bytes = *answer.whole, .tag = answer.tag},
                   .content = std::move(answer.body)};
}

// `octets` as they stand behind "bytes=", no more than `most` of them.
S3Answer S3Store::ask_range(std::string_view key, const std::string& octets, std::uint64_t most,
                            std::vector<std::string> headers) {
  S3Request request{.method = "GET", .key = full(key)};
  request.headers = std::move(headers);
  request.headers.push_back("Range: bytes=" + octets);
  request.most_bytes = std::max(most, client_.limits().answer_bytes);
  return client_.ask(request);
}

// What is there of a range: 206, or 412 (a condition), or 416 (it ends before).
S3Answer S3Store::range(std::string_view key, std::uint64_t offset, std::uint64_t bytes,
                        std::vector<std::string> headers) {
  S3Answer answer =
      ask_range(key, fmt::format("{}-{}", offset, offset + bytes - 1), bytes, std::move(headers));
  if (answer.absent()) throw StorageError(fmt::format("{}: there is no '{}'", name(), key));
  const bool some = answer.status == 206 && answer.body.size() <= bytes;
  if (!some && !answer.precondition_failed() && answer.status != 416)
    throw RemoteError(fmt::format("{}: it answers {} with {} bytes to a request for {} of '{}'",
                                  name(), answer.status, answer.body.size(), bytes, key));
  return answer;
}

Creation S3Store::create(std::string_view key, std::string_view content) {
  prepare_creating();
  return put(full(key), {.text = content, .file = std::nullopt}, Condition::if_absent);
}

Creation S3Store::create_from(std::string_view key, const std::filesystem::path& file) {
  prepare_creating();
  return put(full(key), {.text = {}, .file = whole_file(file)}, Condition::if_absent);
}

void S3Store::replace(std::string_view key, std::string_view content) {
  put(full(key), {.text = content, .file = std::nullopt}, Condition::none);
}

void S3Store::replace_from(std::string_view key, const std::filesystem::path& file) {
  put(full(key), {.text = {}, .file = whole_file(file)}, Condition::none);
}

void S3Store::remove(std::string_view key) {
  client_.ask({.method = "DELETE", .key = full(key)});
}

Creation S3Store::put(const std::string& key, const Content& content, Condition condition) {
  const std::string writer = new_writer();  // of all attempts: one whose answer was lost counts
  for (unsigned start = 0; start < client_.limits().attempts; ++start) {
    if (start > 0) client_.pause(start - 1);
    const bool in_parts = content.file && content.file->bytes > client_.limits().part_bytes;
    const auto creation = in_parts ? put_in_parts(key, *content.file, writer, condition)
                                   : put_once(key, content, writer, condition);
    if (creation) return *creation;
  }
  throw RemoteError(fmt::format("{}: '{}' comes and goes while it is written: is somebody else "
                                "removing objects there?",
                                name(), key));
}

std::optional<Creation> S3Store::put_once(const std::string& key, const Content& content,
                                          const std::string& writer, Condition condition) {
  S3Request request{.method = "PUT", .key = key};
  request.headers.push_back(mark(writer));
  if (condition == Condition::if_absent) request.headers.emplace_back(kIfAbsent);
  request.content = content.text;
  request.file = content.file;
  const S3Answer answer = client_.ask(request);
  if (answer.good()) return Creation::created;
  if (answer.precondition_failed()) return whose(key, writer);
  throw RemoteError(fmt::format("{}: '{}' is refused with {}", name(), key, answer.status));
}

// Whose object lies there: an attempt may have created it, and its answer was lost.
std::optional<Creation> S3Store::whose(const std::string& key, const std::string& writer) {
  const S3Answer found = head(key);
  if (found.absent()) return std::nullopt;
  return found.writer == writer ? Creation::created : Creation::existed;
}

std::optional<Creation> S3Store::put_in_parts(const std::string& key, const FilePart& file,
                                              const std::string& writer, Condition condition) {
  const bool if_absent = condition == Condition::if_absent;
  if (if_absent) {  // before so much is sent
    const auto creation = whose(key, writer);
    if (creation) return creation;
  }
  const std::string upload = begin_upload(key, writer);
  AbortedUpload aborted(*this, key, upload);
  const std::vector<std::string> tags = send_parts(key, upload, file);
  if (complete(key, upload, tags, condition).good())
    return aborted.not_any_more(Creation::created);
  // Somebody else was first, or an earlier attempt ended the upload.
  const auto creation = whose(key, writer);
  if (creation == Creation::created) return aborted.not_any_more(Creation::created);
  if (!if_absent) return std::nullopt;
  return creation;
}

std::string S3Store::begin_upload(const std::string& key, const std::string& writer) {
  S3Request begin{.method = "POST", .key = key};
  begin.query = {{"uploads", ""}};
  begin.headers = {mark(writer)};
  const auto upload = parse_upload_id(client_.ask(begin).body);
  if (!upload) throw RemoteError(fmt::format("{}: it begins no upload of '{}'", name(), key));
  return *upload;
}

// Its tag.
std::string S3Store::send_part(S3Request part, const std::string& upload, std::size_t number) {
  part.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}};
  S3Answer answer = client_.ask(part);
  if (!answer.good() || answer.tag.empty())
    throw RemoteError(fmt::format("{}: part {} of '{}' is refused with {}", name(), number,
                                  part.key, answer.status));
  return std::move(answer.tag);
}

S3Answer S3Store::complete(const std::string& key, const std::string& upload,
                           const std::vector<std::string>& tags, Condition condition) {
  const std::string completion = completion_of(tags);
  S3Request request{.method = "POST", .key = key};
  request.query = {{"uploadId", upload}};
  if (condition == Condition::if_absent) request.headers.emplace_back(kIfAbsent);
  request.content = completion;
  return client_.ask(request);
}

std::vector<std::string> S3Store::send_parts(const std::string& key, const std::string& upload,
                                             const FilePart& file) {
  const std::uint64_t each =
      std::max(client_.limits().part_bytes, (file.bytes + kMostParts - 1) / kMostParts);
  std::vector<std::string> tags;
  for (std::uint64_t sent = 0; sent < file.bytes; sent += each) {
    S3Request part{.method = "PUT", .key = key};
    part.file = FilePart{.file = file.file,
                         .offset = file.offset + sent,
                         .bytes = std::min(each, file.bytes - sent)};
    tags.push_back(send_part(std::move(part), upload, tags.size() + 1));
  }
  return tags;
}

// Its parts cost, but stand in nobody's way: a failure changes nothing.
void S3Store::abort_upload(const std::string& key, const std::string& upload) noexcept {
  try {
    client_.ask({.method = "DELETE", .key = key, .query = {{"uploadId", upload}}});
  } catch (const std::exception&) {
    return;
  }
}

void S3Store::prepare_creating() {
  const std::lock_guard lock(probing_);
  if (!probed_) probe_condition();
  probed_ = true;
}

void S3Store::probe_condition() {
  const Probe probe(*this);
  const auto create_whole = [&](std::string_view text) {
    return put(probe.key(), {.text = text, .file = std::nullopt}, Condition::if_absent);
  };
  if (create_whole("first") != Creation::created)
    throw RemoteError(fmt::format("{}: this S3 server does not keep an object's metadata: an "
                                  "archive cannot be written there exactly once",
                                  name()));
  if (create_whole("second") == Creation::created)
    throw RemoteError(fmt::format("{}: this S3 server does not keep If-None-Match: an archive "
                                  "cannot be written there exactly once: use one that does",
                                  name()));
  if (completes_over(probe.key()))
    throw RemoteError(fmt::format("{}: this S3 server does not keep If-None-Match where an upload "
                                  "in parts is completed: an archive cannot be written there "
                                  "exactly once: use one that does",
                                  name()));
}

// Whether an upload in parts replaces an object, though it was told to create one. What lies there
// then decides: an answer may have been lost.
bool S3Store::completes_over(const std::string& key) {
  const std::string writer = new_writer();
  const std::string upload = begin_upload(key, writer);
  const AbortedUpload aborted(*this, key, upload);
  const S3Request part{.method = "PUT", .key = key, .content = "third"};
  complete(key, upload, {send_part(part, upload, 1)}, Condition::if_absent);
  return whose(key, writer) == Creation::created;
}

}  // namespace segue::warehouse
