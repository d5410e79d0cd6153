#pragma once

#include <string_view>

// The codes of what can be wrong with a configuration; docs/errors.md has a section for each.
// E030 to E079 belong to the compiler of the route table (docs/routing.md).
namespace segue::config::codes {

inline constexpr std::string_view kUnreadableFile = "E001";
inline constexpr std::string_view kNotYaml = "E002";
inline constexpr std::string_view kDuplicateKey = "E003";
inline constexpr std::string_view kAnchor = "E004";  // anchors, aliases, merge keys
inline constexpr std::string_view kTag = "E005";
inline constexpr std::string_view kTooLarge = "E006";
inline constexpr std::string_view kYamlForm = "E007";  // keys that are not text, two documents
inline constexpr std::string_view kWrongType = "E010";
inline constexpr std::string_view kOutOfRange = "E011";
inline constexpr std::string_view kUnknownKey = "E012";
inline constexpr std::string_view kMissingKey = "E013";
inline constexpr std::string_view kBadValue = "E014";
inline constexpr std::string_view kExclusiveKeys = "E015";
inline constexpr std::string_view kUnknownName = "E016";
inline constexpr std::string_view kBadInclude = "E017";
inline constexpr std::string_view kEnvironment = "E018";
inline constexpr std::string_view kBadName = "E019";
inline constexpr std::string_view kListeners = "E020";
inline constexpr std::string_view kSplitSum = "E021";
inline constexpr std::string_view kSticky = "E022";
inline constexpr std::string_view kNoRedact = "E023";
inline constexpr std::string_view kInlineSecret = "E024";
inline constexpr std::string_view kFailedTest = "E025";
inline constexpr std::string_view kDefinedTwice = "E026";
inline constexpr std::string_view kBodiesExceedSegment = "E027";
inline constexpr std::string_view kRoles = "E028";
inline constexpr std::string_view kRedactionKeys = "E029";
inline constexpr std::string_view kHeaderRules = "E080";
inline constexpr std::string_view kNoBackend = "E081";  // beside `redirect` or `respond`

}  // namespace segue::config::codes
