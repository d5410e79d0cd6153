#include "warehouse/storage/s3_answers.hpp"

#include <charconv>
#include <cstring>
#include <pugixml.hpp>
#include <sstream>

namespace segue::warehouse {
namespace {

// Loads a document whose root has this name; a null node otherwise.
pugi::xml_node root_of(pugi::xml_document& document, std::string_view xml, const char* name) {
  // Keys may be blanks alone.
  constexpr unsigned kOptions = pugi::parse_default | pugi::parse_ws_pcdata_single;
  if (!document.load_buffer(xml.data(), xml.size(), kOptions)) return {};
  return document.child(name);
}

}  // namespace

std::optional<S3Complaint> parse_complaint(std::string_view xml) {
  pugi::xml_document document;
  pugi::xml_node error = root_of(document, xml, "Error");
  if (!error) error = document.child("ErrorResponse").child("Error");
  if (!error) return std::nullopt;
  return S3Complaint{.code = error.child_value("Code"),
                     .message = error.child_value("Message"),
                     .region = error.child_value("Region")};
}

std::optional<S3Listing> parse_listing(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ListBucketResult");
  if (!root) return std::nullopt;
  S3Listing listing;
  for (const pugi::xml_node object : root.children("Contents")) {
    const std::string_view digits = object.child_value("Size");
    S3Listing::Object found{.key = object.child_value("Key"), .bytes = 0};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), found.bytes);
    const bool number = error == std::errc{} && end == digits.data() + digits.size();
    if (found.key.empty() || !number) return std::nullopt;
    listing.objects.push_back(std::move(found));
  }
  for (const pugi::xml_node group : root.children("CommonPrefixes"))
    listing.prefixes.emplace_back(group.child_value("Prefix"));
  const bool more = std::strcmp(root.child_value("IsTruncated"), "true") == 0;
  if (more) listing.next = root.child_value("NextContinuationToken");
  if (more && listing.next.empty()) return std::nullopt;
  return listing;
}

std::optional<std::string> parse_upload_id(std::string_view xml) {
  pugi::xml_document document;
  std::string id = root_of(document, xml, "InitiateMultipartUploadResult").child_value("UploadId");
  if (id.empty()) return std::nullopt;
  return id;
}

std::string completion_of(const std::vector<std::string>& tags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  unsigned number = 0;
  for (const std::string& tag : tags) {
    pugi::xml_node part = root.append_child("Part");
    part.append_child("PartNumber").text().set(++number);
    part.append_child("ETag").text().set(tag.c_str());
  }
  std::ostringstream text;
  document.save(text, "", pugi::format_raw);
  return std::move(text).str();
}

}  // namespace segue::warehouse
