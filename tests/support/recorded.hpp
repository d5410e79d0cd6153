#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue::test {

// `seguectl cat SOURCE --output json`, parsed; also while a gateway writes it.
std::vector<boost::json::object> recorded(const std::string& source,
                                          const std::vector<std::string>& filters = {});

// A string of that JSON.
std::string text_of(const boost::json::value& value);

// The value of a header of a recorded message ("request" or "response"); names ignore case.
std::optional<std::string> recorded_header(const boost::json::object& message,
                                           std::string_view name);

}  // namespace segue::test
