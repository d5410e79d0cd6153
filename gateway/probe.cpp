#include "gateway/probe.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <thread>

#include "exchange/error.hpp"
#include "gateway/listening_socket.hpp"

namespace segue::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};  // after a failure
constexpr std::chrono::seconds kPatience{10};  // for a request, and for an answer to be taken

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

Response answer_to(const Request& request, const ProbeAnswers& answers) {
  Response response(http::status::ok, request.version());
  response.keep_alive(request.keep_alive());
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  const auto target = request.target().substr(0, request.target().find('?'));
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
  } else if (target == "/livez") {
    response.body() = "{\"live\":true}\n";
  } else if (target == "/readyz" || target == "/startupz") {
    ProbeAnswers::Readiness readiness = answers.readiness();
    if (!readiness.ready) response.result(http::status::service_unavailable);
    response.body() = std::move(readiness.json);
  } else if (target == "/metrics") {
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response.body() = answers.metrics();
  } else {
    response.result(http::status::not_found);
    response.body() =
        "{\"error\":\"not_found\",\"paths\":[\"/livez\",\"/readyz\",\"/startupz\",\"/metrics\"]}\n";
  }
  response.content_length(response.body().size());
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

// One connection; keeps itself alive through its handlers.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(tcp::socket socket, const ProbeAnswers& answers)
      : stream_(std::move(socket)), answers_(answers) {}

  void read() {
    request_ = {};
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](error_code ec, std::size_t) {
                       if (!ec) self->write();
                     });
  }

 private:
  void write() {
    response_ = answer_to(request_, answers_);
    stream_.expires_after(kPatience);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code ec, std::size_t) {
      if (!ec && self->response_.keep_alive()) self->read();
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{8192};
  Request request_;
  Response response_;
  const ProbeAnswers& answers_;
};

void accept(tcp::acceptor& acceptor, const ProbeAnswers& answers) {
  acceptor.async_accept([&acceptor, &answers](error_code ec, tcp::socket socket) {
    if (ec == asio::error::operation_aborted) return;
    if (!ec) {
      std::make_shared<Conversation>(std::move(socket), answers)->read();
      return accept(acceptor, answers);
    }
    // Without a descriptor left the next try would fail at once, and so on.
    auto pause = std::make_shared<asio::steady_timer>(acceptor.get_executor(), kAcceptPause);
    pause->async_wait([&acceptor, &answers, pause](error_code) { accept(acceptor, answers); });
  });
}

}  // namespace

struct ProbeListener::State {
  ProbeAnswers answers;
  std::vector<std::pair<std::string, std::string>> addresses;
  asio::io_context context{1};
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors;
  std::thread thread;
};

ProbeListener::ProbeListener(const std::vector<ListenerSettings>& listeners, ProbeAnswers answers)
    : state_(std::make_unique<State>()) {
  state_->answers = std::move(answers);
  for (const ListenerSettings& listener : listeners) {
    if (listener.kind != ListenerKind::probe) continue;
    BoundAddress bound = bind_listener(listener, 1);
    state_->addresses.emplace_back(listener.name, bound.text);
    const tcp protocol = bound.text.front() == '[' ? tcp::v6() : tcp::v4();
    state_->acceptors.push_back(std::make_unique<tcp::acceptor>(state_->context, protocol,
                                                                bound.sockets.front().release()));
    accept(*state_->acceptors.back(), state_->answers);
  }
  state_->thread = std::thread([state = state_.get()] { state->context.run(); });
}

ProbeListener::~ProbeListener() {
  state_->context.stop();
  state_->thread.join();
}

const std::vector<std::pair<std::string, std::string>>& ProbeListener::addresses() const noexcept {
  return state_->addresses;
}

}  // namespace segue::gateway
