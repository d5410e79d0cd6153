#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cli/shadowed_journal.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

// seguectl compare with these arguments, to its end.
CommandResult compare(const std::vector<std::string>& arguments);
// The journal in the folder, as SOURCE.
std::string source(const TempDir& folder);

// Whether the text has this part; a failed check shows it.
bool has(const std::string& text, std::string_view part);
boost::json::object json_of(const CommandResult& result);
// The fields of the first route that were judged like that, "body $.price" and so on.
std::string judged(const CommandResult& result, std::string_view judgement);

Answer search(std::uint64_t made_at, std::string_view price);
// 300 pairs, 60 with a control: every answer has a time of its own, which is noise, and the shadow
// has another price in each tenth.
void fill_with_noise_and_finding(ShadowedJournal& journal);

}  // namespace segue::test
