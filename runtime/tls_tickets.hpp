#pragma once

#include <array>
#include <optional>

using SSL_CTX = struct ssl_ctx_st;

namespace segue::runtime {

// The keys that session tickets are sealed with (RFC 5077; RFC 8446, 4.6.1). A value: every core
// that accepts for one listener is given the same ones, so that a session goes on wherever its next
// connection is accepted; no other listener has them, so that a session that was begun where no
// client certificate is asked for does not go on where one is.
class TicketKeys {
 public:
  // New, at random.
  static TicketKeys fresh();
  // A new one to seal with; what this one's newest sealed can still be opened.
  TicketKeys rotated() const;
  ~TicketKeys();  // wipes them
  TicketKeys(const TicketKeys&) = default;
  TicketKeys& operator=(const TicketKeys&) = default;

  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;  // AES-256-CBC
    std::array<unsigned char, 32> mac;     // HMAC-SHA-256
  };
  const Key& newest() const noexcept { return newest_; }
  // By the name that a ticket bears; null: not ours, or too old.
  const Key* find(const unsigned char* name) const noexcept;

 private:
  explicit TicketKeys(const Key& newest) : newest_(newest) {}

  Key newest_;
  std::optional<Key> before_;
};

// Makes the context seal and open tickets with `keys`, which must live as long as it does.
void use_ticket_keys(SSL_CTX* context, const TicketKeys& keys);

}  // namespace segue::runtime
