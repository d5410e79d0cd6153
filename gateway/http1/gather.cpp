#include "gateway/http1/forward.hpp"

namespace segue::gateway::http1 {

void Gather::clear() noexcept {
  pieces_.clear();
  own_.clear();
  iovecs_.clear();
  bytes_ = 0;
}

void Gather::borrow(std::string_view text) {
  if (text.size() <= kShortBytes) return copy(text);
  bytes_ += text.size();
  if (!pieces_.empty()) {
    Piece& last = pieces_.back();
    if (last.data != nullptr && last.data + last.size == text.data()) {
      last.size += text.size();
      return;
    }
  }
  pieces_.push_back({text.data(), 0, text.size()});
}

void Gather::copy(std::string_view text) {
  if (text.empty()) return;
  bytes_ += text.size();
  if (pieces_.empty() || pieces_.back().data != nullptr)
    pieces_.push_back({nullptr, own_.size(), 0});
  pieces_.back().size += text.size();
  own_.append(text);
}

std::vector<iovec>& Gather::pieces() {
  iovecs_.clear();
  for (const Piece& piece : pieces_) {
    const char* const data = piece.data != nullptr ? piece.data : own_.data() + piece.offset;
    iovecs_.push_back({const_cast<char*>(data), piece.size});  // writev only reads
  }
  return iovecs_;
}

}  // namespace segue::gateway::http1
