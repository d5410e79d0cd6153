#include "tests/support/browser.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/stat.h>

#include <array>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

namespace json = boost::json;

// Kept open for both directions, so that neither end waits for the other to come.
Descriptor make_pipe(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) fail_with_errno("mkfifo");
  Descriptor pipe(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!pipe) fail_with_errno("opening a pipe to the browser");
  return pipe;
}

// Debian's name of it, or what SEGUE_BROWSER says.
std::string browser_program() {
  const char* const named = std::getenv("SEGUE_BROWSER");
  return named == nullptr ? "chromium" : named;
}

// DevTools reads from descriptor 3 and writes to 4.
std::vector<std::string> browser_command(const std::filesystem::path& folder,
                                         BrowserPage::Certificates certificates) {
  return {"bash",
          "-c",
          "folder=$1; shift; exec \"$@\" 3<\"$folder/in\" 4>\"$folder/out\" 2>\"$folder/log\"",
          "browser",
          folder.string(),
          browser_program(),
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-dev-shm-usage",
          "--no-first-run",
          "--disable-extensions",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--hide-scrollbars",
          certificates == BrowserPage::Certificates::any ? "--ignore-certificate-errors"
                                                         : "--no-pings",
          "--remote-debugging-pipe",
          "--user-data-dir=" + (folder / "profile").string(),
          "about:blank"};
}

std::string decode_base64(std::string_view text) {
  std::string octets(text.size() / 4 * 3, '\0');
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
  if (length < 0) throw TestFailure("the browser's screenshot is no base64");
  octets.resize(static_cast<std::size_t>(length) - (text.ends_with("==")  ? 2U
                                                    : text.ends_with("=") ? 1U
                                                                          : 0U));
  return octets;
}

}  // namespace

BrowserPage::BrowserPage(const std::filesystem::path& file, const Look& look)
    : url_("file://" + file.string()),
      to_browser_(make_pipe(folder_ / "in")),
      from_browser_(make_pipe(folder_ / "out")),
      browser_(browser_command(folder_.path(), look.certificates), folder_ / "stdout") {
  open(url_, look);
}

BrowserPage::~BrowserPage() {
  // Asked to go, it takes its own processes along; killed, it would leave them to notice.
  const std::string_view close("{\"id\":0,\"method\":\"Browser.close\"}\0", 34);
  if (::write(to_browser_.get(), close.data(), close.size()) < 0) return;
  try {
    browser_.wait();
  } catch (const TestFailure&) {
    return;  // then it is killed
  }
}

void BrowserPage::open(const std::string& url, const Look& look) {
  const auto target = call("Target.createTarget", {{"url", "about:blank"}});
  session_ = text_of(
      call("Target.attachToTarget", {{"targetId", target.at("targetId")}, {"flatten", true}})
          .at("sessionId"));
  for (const char* domain : {"Page.enable", "Runtime.enable", "Log.enable", "Network.enable"})
    call(domain);
  call("Emulation.setEmulatedMedia",
       {{"features",
         json::array{json::object{{"name", "prefers-color-scheme"},
                                  {"value", look.scheme == Scheme::dark ? "dark" : "light"}}}}});
  call("Emulation.setDeviceMetricsOverride",
       {{"width", look.width}, {"height", 900}, {"deviceScaleFactor", 1}, {"mobile", false}});
  if (look.script == Script::off) call("Emulation.setScriptExecutionDisabled", {{"value", true}});
  const auto going = call("Page.navigate", {{"url", url}});
  if (going.contains("errorText")) throw TestFailure(url + ": " + text_of(going.at("errorText")));
  if (!loaded_) wait_for([this](const json::object&) { return loaded_; });
}

json::value BrowserPage::evaluate(std::string_view expression) {
  const auto result =
      call("Runtime.evaluate",
           {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (result.contains("exceptionDetails"))
    throw TestFailure(json::serialize(result.at("exceptionDetails")));
  const auto& value = result.at("result").as_object();
  return value.contains("value") ? value.at("value") : json::value();
}

void BrowserPage::screenshot(const std::filesystem::path& file) {
  const auto shot =
      call("Page.captureScreenshot", {{"format", "png"}, {"captureBeyondViewport", true}});
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << decode_base64(text_of(shot.at("data")));
  if (!out.flush()) throw TestFailure("cannot write " + file.string());
}

json::object BrowserPage::call(std::string_view method, json::object parameters) {
  const std::int64_t id = ++calls_;
  json::object message{{"id", id}, {"method", method}, {"params", std::move(parameters)}};
  if (!session_.empty()) message["sessionId"] = session_;
  std::string text = json::serialize(message);
  text.push_back('\0');
  for (std::string_view rest = text; !rest.empty();) {
    const auto count = ::write(to_browser_.get(), rest.data(), rest.size());
    if (count <= 0) fail_with_errno("writing to the browser");
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  const auto answer = wait_for([id](const json::object& heard) {
    return heard.contains("id") && heard.at("id").to_number<std::int64_t>() == id;
  });
  if (answer.contains("error"))
    throw TestFailure(std::string(method) + ": " + json::serialize(answer.at("error")));
  return answer.at("result").as_object();
}

json::object BrowserPage::wait_for(const Answered& answered) {
  const Deadline deadline;
  for (;;) {
    json::object message = next_message(deadline);
    if (message.contains("method")) heard(message);
    if (answered(message)) return message;
  }
}

json::object BrowserPage::next_message(const Deadline& deadline) {
  for (;;) {
    const std::size_t end = received_.find('\0');
    if (end != std::string::npos) {
      json::object message = json::parse(received_.substr(0, end)).as_object();
      received_.erase(0, end + 1);
      return message;
    }
    pollfd ready{from_browser_.get(), POLLIN, 0};
    if (::poll(&ready, 1, deadline.left()) != 1)
      throw TestFailure("the browser does not answer (is " + browser_program() +
                        " installed? setup/packages.sh test): " + read_whole_file(folder_ / "log"));
    std::array<char, 65'536> piece{};
    const auto count = ::read(from_browser_.get(), piece.data(), piece.size());
    if (count <= 0) fail_with_errno("reading from the browser");
    received_.append(piece.data(), static_cast<std::size_t>(count));
  }
}

void BrowserPage::heard(const json::object& event) {
  const std::string method = text_of(event.at("method"));
  const auto& parameters = event.at("params").as_object();
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Runtime.exceptionThrown" || method == "Runtime.consoleAPICalled" ||
      method == "Log.entryAdded")
    complaints_.push_back(json::serialize(parameters));
  if (method == "Network.loadingFailed" && parameters.contains("blockedReason"))
    requests_.erase(text_of(parameters.at("requestId")));
  if (method != "Network.requestWillBeSent") return;
  const std::string url = text_of(parameters.at("request").at("url"));
  if (url != url_ && url != "about:blank")
    requests_.emplace(text_of(parameters.at("requestId")), url);
}

std::vector<std::string> BrowserPage::requests() const {
  std::vector<std::string> urls;
  for (const auto& [number, url] : requests_) urls.push_back(url);
  return urls;
}

}  // namespace segue::test
