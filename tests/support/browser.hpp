#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/descriptor.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

// A file in a real browser without a window: Chromium, driven over its DevTools protocol by a pair
// of pipes, so that no port is open. It ends with its scope, and with the test's process however
// that ends. A browser that is not there fails the test. One thread.
class BrowserPage {
 public:
  enum class Scheme : std::uint8_t { light, dark };
  enum class Script : std::uint8_t { on, off };
  enum class Certificates : std::uint8_t { verified, any };
  struct Look {
    Scheme scheme = Scheme::light;
    Script script = Script::on;
    int width = 1280;  // pixels
    Certificates certificates = Certificates::verified;
  };

  // Returns when the page is loaded.
  BrowserPage(const std::filesystem::path& file, const Look& look);
  ~BrowserPage();

  // The value of a JavaScript expression; what it throws fails the test. Works with Script::off,
  // too.
  boost::json::value evaluate(std::string_view expression);
  // The whole page, as PNG.
  void screenshot(const std::filesystem::path& file);

  // Exceptions, and what the browser itself complained of: what a policy refused, failed loads.
  const std::vector<std::string>& complaints() const { return complaints_; }
  // What the page asked for besides itself, and its policy let pass.
  std::vector<std::string> requests() const;

 private:
  using Answered = std::function<bool(const boost::json::object&)>;
  boost::json::object call(std::string_view method, boost::json::object parameters = {});
  boost::json::object wait_for(const Answered& answered);
  boost::json::object next_message(const Deadline& deadline);
  void heard(const boost::json::object& event);
  void open(const std::string& url, const Look& look);

  TempDir folder_;
  std::string url_;
  Descriptor to_browser_;
  Descriptor from_browser_;
  std::string received_;
  std::string session_;
  std::int64_t calls_ = 0;
  bool loaded_ = false;
  std::vector<std::string> complaints_;
  std::map<std::string, std::string> requests_;  // URLs by the browser's number
  Process browser_;
};

}  // namespace segue::test
