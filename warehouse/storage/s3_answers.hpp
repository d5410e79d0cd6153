#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue::warehouse {

// What S3 says in XML. A reader of something else than it expects gives nullopt.

struct S3Complaint {
  std::string code;     // "NoSuchKey"
  std::string message;  // a sentence of the server's
  std::string region;   // of the bucket, where it says that; else empty
};

struct S3Listing {
  struct Object {
    std::string key;
    std::uint64_t bytes = 0;
  };
  std::vector<Object> objects;
  std::vector<std::string> prefixes;  // that a delimiter put together
  std::string next;                   // token of the next page; empty: this was the last
};

std::optional<S3Complaint> parse_complaint(std::string_view xml);
std::optional<S3Listing> parse_listing(std::string_view xml);      // ListBucketResult, version 2
std::optional<std::string> parse_upload_id(std::string_view xml);  // of a multipart upload

// The body of CompleteMultipartUpload: the parts' tags, from the first one.
std::string completion_of(const std::vector<std::string>& tags);

}  // namespace segue::warehouse
