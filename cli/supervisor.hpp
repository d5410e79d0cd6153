#pragma once

#include <string>
#include <string_view>

namespace segue::cli {

// What the service manager that started this process is told, over $NOTIFY_SOCKET (sd_notify(3));
// nothing where there is none. Made before any thread: it removes the variable, so that no child
// speaks in this process's name.
class Supervisor {
 public:
  Supervisor();
  // This process serves, and is the one to look after now.
  void say_ready() const;
  void say_stopping() const;

 private:
  void say(std::string_view state) const;

  std::string socket_;  // a path, or a name with '@' in front; empty: nobody asks
};

}  // namespace segue::cli
