#include "gateway/probe.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <thread>
#include <vector>

#include "gateway/http_date.hpp"

namespace segue::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;  // TCP or Unix
using Acceptor = asio::basic_socket_acceptor<Protocol>;

constexpr std::chrono::milliseconds kAcceptPause{100};  // after a failure
constexpr std::chrono::seconds kPatience{10};  // for a request, and for an answer to be taken

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

// What all conversations share; of the probe's thread.
struct Answering {
  ProbeAnswers answers;
  HttpDate date;
  bool leaving = false;  // each answer is its connection's last
};

Response answer_to(const Request& request, Answering& answering) {
  const ProbeAnswers& answers = answering.answers;
  Response response(http::status::ok, request.version());
  response.keep_alive(request.keep_alive() && !answering.leaving);
  response.set(http::field::date, answering.date.now());
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
  Conversation(Protocol::socket socket, Answering& answering)
      : stream_(std::move(socket)), answering_(answering) {}

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
    response_ = answer_to(request_, answering_);
    stream_.expires_after(kPatience);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code ec, std::size_t) {
      if (!ec && self->response_.keep_alive()) self->read();
    });
  }

  beast::basic_stream<Protocol> stream_;
  beast::flat_buffer buffer_{8192};
  Request request_;
  Response response_;
  Answering& answering_;
};

void accept(Acceptor& acceptor, Answering& answering) {
  acceptor.async_accept([&acceptor, &answering](error_code ec, Protocol::socket socket) {
    if (!ec) std::make_shared<Conversation>(std::move(socket), answering)->read();
    if (ec == asio::error::operation_aborted || answering.leaving) return;
    if (!ec) return accept(acceptor, answering);
    // Without a descriptor left the next try would fail at once, and so on.
    auto pause = std::make_shared<asio::steady_timer>(acceptor.get_executor(), kAcceptPause);
    pause->async_wait([&acceptor, &answering, pause](error_code) {
      if (!answering.leaving) accept(acceptor, answering);
    });
  });
}

}  // namespace

struct ProbeListener::State {
  Answering answering;
  asio::io_context context{1};
  // So that its thread is there for leave(), also without a listener.
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::thread thread;
};

ProbeListener::ProbeListener(const ListeningSockets& sockets, ProbeAnswers answers)
    : state_(std::make_unique<State>()) {
  state_->answering.answers = std::move(answers);
  for (const ListeningSockets::Set& set : sockets.all()) {
    if (set.settings->kind != ListenerKind::probe) continue;
    for (OwnedDescriptor& socket : ListeningSockets::for_core(set, 0, 1)) {
      const Protocol protocol(set.address.family, 0);
      state_->acceptors.push_back(
          std::make_unique<Acceptor>(state_->context, protocol, socket.release()));
      accept(*state_->acceptors.back(), state_->answering);
    }
  }
  state_->thread = std::thread([state = state_.get()] { state->context.run(); });
}

ProbeListener::~ProbeListener() {
  state_->context.stop();
  state_->thread.join();
}

void ProbeListener::leave() {
  std::promise<void> left;
  asio::post(state_->context, [state = state_.get(), &left] {
    state->answering.leaving = true;
    // Not close(): that leaves a socket that another process has open, too, in the epoll set.
    for (auto& acceptor : state->acceptors)
      if (acceptor->is_open()) const OwnedDescriptor closed(acceptor->release());
    left.set_value();
  });
  left.get_future().wait();
}

}  // namespace segue::gateway
