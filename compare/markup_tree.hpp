#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>

#include "compare/tree.hpp"

namespace segue::compare {

// Makes a tree of XML 1.0. The root has no name; what it holds are the top-level elements.
// Comments, processing instructions and the document type are passed over, entities other than the
// five predefined ones and character references are not expanded; text that is only blanks is
// dropped. Text has its runs of blanks folded to one and none at its ends.
TreeMade read_xml(std::string_view body, Tree& tree);

// Makes a tree of HTML as browsers read it: nothing is malformed. Blanks are folded as in XML, but
// within <pre>, <textarea>, <script> and <style>; comments are passed over.
class HtmlReader {
 public:
  // What the parser may take for one body, in memory and in CPU time: the square of what it reads
  // when elements are left open, and it has no limit of its own. Pages take a thousandth of it.
  static constexpr std::size_t kMostParserBytes = 64 << 20;
  static constexpr std::chrono::milliseconds kMostParserTime{500};

  HtmlReader();
  ~HtmlReader();
  HtmlReader(HtmlReader&&) noexcept;
  HtmlReader& operator=(HtmlReader&&) noexcept;
  // Ends early, as `too_large`, once `stop` is requested.
  TreeMade read(std::string_view body, Tree& tree, const std::stop_token& stop);
  std::size_t held() const noexcept;  // bytes of memory

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

}  // namespace segue::compare
