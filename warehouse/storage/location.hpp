#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// `archive.s3`. Credentials come from `credentials_file` ("access-key-id secret-access-key
// [session-token]", one line, or the [default] section of AWS's own format), else from
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
struct S3Settings {
  std::string endpoint;  // "https://s3.eu-central-1.amazonaws.com"; empty: AWS's own of the region
  std::string region = "us-east-1";
  bool path_style = true;  // https://HOST/BUCKET/KEY; else https://BUCKET.HOST/KEY
  std::filesystem::path credentials_file;
  std::filesystem::path ca;  // empty: the system's
  std::chrono::milliseconds timeout{30'000};  // without progress, of one request
};

// Where an archive lies: exactly one of `folder` and `bucket` is there.
struct ArchiveLocation {
  std::filesystem::path folder;
  std::string bucket;
  std::string prefix;  // within the bucket; empty or without slashes at its ends

  std::string name() const;  // archive:DIR, archive:s3://BUCKET/PREFIX
};

// Reads archive:DIR or archive:s3://BUCKET/PREFIX. nullopt: it is neither.
std::optional<ArchiveLocation> parse_location(std::string_view text);

// Throws StorageError, RemoteError: what cannot be had is said now, not at the first object.
// `stopping`: whether somebody wants to end, and nothing is to be waited for; from any thread.
std::unique_ptr<ObjectStore> open_store(const ArchiveLocation& location, const S3Settings& s3,
                                        std::function<bool()> stopping = {});

}  // namespace segue::warehouse
