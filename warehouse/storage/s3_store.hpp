#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/storage/object_store.hpp"
#include "warehouse/storage/s3_answers.hpp"
#include "warehouse/storage/s3_client.hpp"

namespace segue::warehouse {

// A bucket of S3, or what stands under a prefix in it. Creating is a PUT with `If-None-Match: *`
// (of a large file: the completion of a multipart upload), so that of several one wins; each carries
// a mark of its writer, by which an attempt whose answer was lost is told from another's success.
// What a crash leaves of a multipart upload is no object; let a lifecycle rule of the bucket
// (AbortIncompleteMultipartUpload) take it away.
//
// A server that does not keep the condition on either is found out before the first creation, and
// refused.
class S3Store : public ObjectStore {
 public:
  // Asks the server nothing yet. Throws StorageError.
  S3Store(const ArchiveLocation& location, const S3Settings& settings, S3Limits limits = {});

  // Throws RemoteError when the bucket is not there, or not to be read by these credentials.
  void check();

  const std::string& name() const override { return client_.name(); }
  void list(std::string_view prefix, std::string_view after,
            const std::function<void(const StoredObject&)>& take) override;
  std::vector<std::string> folders(std::string_view prefix) override;
  std::optional<std::uint64_t> size(std::string_view key) override;
  std::optional<std::string> read(std::string_view key) override;
  std::string read(std::string_view key, std::uint64_t offset, std::uint64_t bytes) override;
  std::optional<ObjectVersion> version(std::string_view key) override;
  std::string read_version(std::string_view key, const ObjectVersion& version,
                           std::uint64_t offset, std::uint64_t bytes) override;
  std::optional<ObjectEnd> read_end(std::string_view key, std::uint64_t bytes) override;
  Creation create(std::string_view key, std::string_view content) override;
  Creation create_from(std::string_view key, const std::filesystem::path& file) override;
  void replace(std::string_view key, std::string_view content) override;
  void replace_from(std::string_view key, const std::filesystem::path& file) override;
  void remove(std::string_view key) override;
  void prepare_creating() override;

 private:
  enum class Condition : std::uint8_t { none, if_absent };
  struct Content;  // of memory or of a file
  class AbortedUpload;
  class Probe;

  std::string full(std::string_view key) const { return root_ + std::string(key); }
  void each_page(const std::string& prefix, std::pair<std::string, std::string> more,
                 const std::function<void(const S3Listing&)>& take);
  S3Answer ask_range(std::string_view key, const std::string& octets, std::uint64_t most,
                     std::vector<std::string> headers);
  S3Answer range(std::string_view key, std::uint64_t offset, std::uint64_t bytes,
                 std::vector<std::string> headers);
  S3Answer head(const std::string& key);
  Creation put(const std::string& key, const Content& content, Condition condition);
  // nullopt: it has to be done again from the start.
  std::optional<Creation> put_once(const std::string& key, const Content& content,
                                   const std::string& writer, Condition condition);
  std::optional<Creation> put_in_parts(const std::string& key, const FilePart& file,
                                       const std::string& writer, Condition condition);
  std::string begin_upload(const std::string& key, const std::string& writer);
  std::string send_part(S3Request part, const std::string& upload, std::size_t number);
  S3Answer complete(const std::string& key, const std::string& upload,
                    const std::vector<std::string>& tags, Condition condition);
  std::vector<std::string> send_parts(const std::string& key, const std::string& upload,
                                      const FilePart& file);
  std::optional<Creation> whose(const std::string& key, const std::string& writer);
  void abort_upload(const std::string& key, const std::string& upload) noexcept;
  void probe_condition();
  bool completes_over(const std::string& key);

  std::string root_;  // before each key: "PREFIX/", or empty
  S3Client client_;
  std::mutex probing_;
  bool probed_ = false;
};

}  // namespace segue::warehouse
