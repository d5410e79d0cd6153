#include "runtime/descriptor.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <cerrno>
#include <utility>

#include "exchange/ensure.hpp"
#include "runtime/core.hpp"

namespace segue::runtime {

using boost::system::error_code;
namespace errors = boost::asio::error;

Descriptor::Descriptor(Core& core) noexcept
    : core_(core),
      in_deadline_(
          core.wheel(),
          [](void* self) { static_cast<Descriptor*>(self)->wake(Way::in, errors::timed_out); },
          this),
      out_deadline_(
          core.wheel(),
          [](void* self) { static_cast<Descriptor*>(self)->wake(Way::out, errors::timed_out); },
          this) {}

Descriptor::~Descriptor() {
  close();
  if (gone_ != nullptr) *gone_ = true;
}

bool Descriptor::watch(int operation) noexcept {
  epoll_event event{};
  event.events = kind_ == Watched::connection ? EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET
                                              : EPOLLIN | EPOLLEXCLUSIVE | EPOLLET;
  event.data.ptr = this;
  return epoll_ctl(core_.epoll(), operation, descriptor_, &event) == 0;
}

void Descriptor::ask_again() noexcept {
  ensure(watch(EPOLL_CTL_MOD), "what is watched can be watched again");
}

void Descriptor::rest() noexcept {
  epoll_ctl(core_.epoll(), EPOLL_CTL_DEL, descriptor_, nullptr);
  core_.forget(*this);
  ready_[0] = false;
}

bool Descriptor::queue_up() noexcept {
  rest();
  return watch(EPOLL_CTL_ADD);
}

error_code Descriptor::open(int descriptor, Watched kind) noexcept {
  descriptor_ = descriptor;
  kind_ = kind;
  ready_[0] = false;
  ready_[1] = true;  // a connection can be written until the kernel says otherwise
  ended_ = false;
  if (watch(EPOLL_CTL_ADD)) return {};
  const error_code failed(errno, boost::system::system_category());
  ::close(std::exchange(descriptor_, -1));
  return failed;
}

void Descriptor::close() noexcept {
  if (descriptor_ < 0) return;
  cancel();
  core_.forget(*this);
  // Closing takes a connection out of the epoll set. A listening socket stays in it as long as
  // anybody else has it open, and would tell of itself to who is no more.
  if (kind_ == Watched::listener)
    epoll_ctl(core_.epoll(), EPOLL_CTL_DEL, descriptor_, nullptr);
  ::close(std::exchange(descriptor_, -1));
}

void Descriptor::exhausted(Way way) noexcept {
  // An end that the kernel announced together with the last bytes is announced once.
  ready_[index(way)] = way == Way::in && ended_;
}

void Descriptor::wait(Way way, Waiter& waiter, MonotonicNs expiry) noexcept {
  ensure(waiting_[index(way)] == nullptr, "one waiter each way");
  waiting_[index(way)] = &waiter;
  (way == Way::in ? in_deadline_ : out_deadline_).arm(expiry);
}

void Descriptor::expect_by(Way way, MonotonicNs expiry) noexcept {
  if (waiting_[index(way)] != nullptr) (way == Way::in ? in_deadline_ : out_deadline_).arm(expiry);
}

void Descriptor::cancel() noexcept {
  end(Way::in, errors::operation_aborted);
  end(Way::out, errors::operation_aborted);
}

// Who cancels is not re-entered by who waited.
void Descriptor::end(Way way, error_code why) noexcept {
  Waiter* waiter = std::exchange(waiting_[index(way)], nullptr);
  if (waiter == nullptr) return;
  (way == Way::in ? in_deadline_ : out_deadline_).disarm();
  core_.wake_later(*waiter, why);
}

void Descriptor::wake(Way way, error_code why) noexcept {
  Waiter* waiter = std::exchange(waiting_[index(way)], nullptr);
  if (waiter == nullptr) return;
  (way == Way::in ? in_deadline_ : out_deadline_).disarm();
  waiter->wake(*waiter, why);
}

void Descriptor::on_events(std::uint32_t events) noexcept {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) ended_ = true;
  const bool in = (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  const bool out = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
  if (in) ready_[0] = true;
  if (out) ready_[1] = true;
  // The first one woken may cancel what waits the other way, or destroy this.
  bool gone = false;
  gone_ = &gone;
  if (out) wake(Way::out, {});
  if (gone) return;
  gone_ = nullptr;
  if (in) wake(Way::in, {});
}

}  // namespace segue::runtime
