#include <gumbo.h>
#include <time.h>

#include <chrono>
#include <csetjmp>
#include <cstddef>
#include <cstring>
#include <string>

#include "compare/folded_text.hpp"
#include "compare/markup_tree.hpp"

namespace segue::compare {

// The parser's memory: taken block by block, given back all at once. gumbo cannot be told that
// there is no more, and destroys its trees by recursion as deep as they are; so it is never asked
// to destroy one, and leaves by longjmp when it has taken too much memory or time. Only frames of
// gumbo's C code and of allocate() lie between; none has anything to destroy.
struct HtmlReader::Memory {
  TextArena arena;
  std::size_t taken = 0;
  std::size_t calls = 0;
  std::chrono::nanoseconds until{0};
  const std::stop_token* stop = nullptr;
  std::jmp_buf exit;

  static std::chrono::nanoseconds cpu_time() noexcept {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }
  void start(const std::stop_token& asked) {
    stop = &asked;
    arena.clear();
    taken = 0;
    calls = 0;
    until = cpu_time() + kMostParserTime;
  }
  static void* allocate(void* own, std::size_t bytes) {
    constexpr std::size_t kCallsBetweenLooks = 256;  // at the clock
    auto* const memory = static_cast<Memory*>(own);
    if (++memory->calls % kCallsBetweenLooks == 0 &&
        (cpu_time() > memory->until || memory->stop->stop_requested()))
      std::longjmp(memory->exit, 1);
    constexpr std::size_t kAlignment = alignof(std::max_align_t);
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (bytes > kMostParserBytes || memory->taken + rounded > kMostParserBytes)
      std::longjmp(memory->exit, 1);
    memory->taken += rounded;
    return memory->arena.take(rounded);
  }
  static void release(void*, void*) {}
};

namespace {

// From gumbo's tree to ours.
class Converter {
 public:
  explicit Converter(Tree& tree) : tree_(tree) {}

  TreeMade children(const GumboVector& nodes, std::size_t depth, Tree::Index parent);

 private:
  TreeMade element(const GumboNode& node, std::size_t depth);
  bool end_text();
  std::string_view name_of(const GumboElement& element);

  Tree& tree_;
  std::string text_;          // up to the next element, whatever comments stand in it
  std::size_t verbatim_ = 0;  // elements around, in which blanks count
};

// Of elements that gumbo does not know the name as it was written.
std::string_view Converter::name_of(const GumboElement& element) {
  if (element.tag != GUMBO_TAG_UNKNOWN) return gumbo_normalized_tagname(element.tag);
  GumboStringPiece name = element.original_tag;
  if (name.data == nullptr) return "unknown";
  gumbo_tag_from_original_text(&name);
  return tree_.texts().keep({name.data, name.length});
}

TreeMade Converter::element(const GumboNode& node, std::size_t depth) {
  if (depth > Tree::kMostDepth || tree_.is_full()) return TreeMade::too_large;
  const GumboElement& element = node.v.element;
  const Tree::Index at = tree_.add(NodeKind::element);
  tree_.edit(at).name = name_of(element);
  for (unsigned i = 0; i < element.attributes.length; ++i) {
    if (tree_.is_full()) return TreeMade::too_large;
    const auto* const attribute = static_cast<const GumboAttribute*>(element.attributes.data[i]);
    const Tree::Index added = tree_.add(NodeKind::attribute);
    tree_.edit(added).name = tree_.texts().keep(attribute->name);
    tree_.edit(added).text = tree_.texts().keep(attribute->value);
  }
  const bool keeps_blanks = element.tag == GUMBO_TAG_PRE || element.tag == GUMBO_TAG_TEXTAREA ||
                            element.tag == GUMBO_TAG_SCRIPT || element.tag == GUMBO_TAG_STYLE;
  verbatim_ += keeps_blanks ? 1 : 0;
  const TreeMade made = children(element.children, depth, at);
  verbatim_ -= keeps_blanks ? 1 : 0;
  tree_.close(at);
  return made;
}

// False: there is none, or nothing of it counts.
bool Converter::end_text() {
  if (text_.empty()) return false;
  const std::string_view text =
      verbatim_ > 0 ? tree_.texts().keep(text_) : fold_blanks(text_, tree_.texts());
  text_.clear();
  if (text.empty()) return false;
  tree_.edit(tree_.add(NodeKind::text)).text = text;
  return true;
}

TreeMade Converter::children(const GumboVector& nodes, std::size_t depth, Tree::Index parent) {
  std::uint32_t count = 0;
  for (unsigned i = 0; i < nodes.length; ++i) {
    const auto* const child = static_cast<const GumboNode*>(nodes.data[i]);
    if (tree_.is_full()) return TreeMade::too_large;
    if (child->type == GUMBO_NODE_ELEMENT || child->type == GUMBO_NODE_TEMPLATE) {
      count += end_text() ? 2 : 1;
      const TreeMade made = element(*child, depth + 1);
      if (made != TreeMade::done) return made;
    } else if (child->type == GUMBO_NODE_TEXT || child->type == GUMBO_NODE_CDATA ||
               child->type == GUMBO_NODE_WHITESPACE) {
      text_ += child->v.text.text;
    }
  }
  if (end_text()) ++count;
  tree_.edit(parent).children = count;
  return TreeMade::done;
}

// Null: it wanted too much memory.
const GumboOutput* parse(const GumboOptions& options, std::string_view body, std::jmp_buf& exit) {
  if (setjmp(exit) != 0) return nullptr;
  return gumbo_parse_with_options(&options, body.data(), body.size());
}

}  // namespace

HtmlReader::HtmlReader() : memory_(std::make_unique<Memory>()) {}
HtmlReader::~HtmlReader() = default;
HtmlReader::HtmlReader(HtmlReader&&) noexcept = default;
HtmlReader& HtmlReader::operator=(HtmlReader&&) noexcept = default;

std::size_t HtmlReader::held() const noexcept {
  return memory_->arena.held();
}

TreeMade HtmlReader::read(std::string_view body, Tree& tree, const std::stop_token& stop) {
  tree.clear();
  memory_->start(stop);
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = Memory::allocate;
  options.deallocator = Memory::release;
  options.userdata = memory_.get();
  options.max_errors = 0;
  const GumboOutput* const output = parse(options, body, memory_->exit);
  if (output == nullptr) return TreeMade::too_large;
  const Tree::Index root = tree.add(NodeKind::element);
  const TreeMade made = Converter(tree).children(output->document->v.document.children, 0, root);
  tree.close(root);
  return made;
}

}  // namespace segue::compare
