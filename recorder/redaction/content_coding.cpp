#include "recorder/redaction/content_coding.hpp"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "exchange/head.hpp"

namespace segue::recorder {
namespace {

constexpr std::size_t kChunk = 16 << 10;
constexpr int kLargestZstdWindow = 23;  // log2 of 8 MiB: RFC 9659

// Decoded bytes, up to a limit.
class Output {
 public:
  Output(std::size_t coded, std::string& out) : out_(out) {
    most_ = std::min(kMostDecodedBytes, std::max(kFreeBytes, coded * kMostRatio));
    out_.clear();
  }
  bool add(const void* bytes, std::size_t count) {
    if (count > most_ - out_.size()) return false;
    out_.append(static_cast<const char*>(bytes), count);
    return true;
  }

 private:
  std::string& out_;
  std::size_t most_;
};

struct InflateEnd {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};
using Inflate = std::unique_ptr<z_stream, InflateEnd>;

Inflate make_inflate(int window_bits) {
  auto* const stream = new z_stream{};
  if (inflateInit2(stream, window_bits) == Z_OK) return Inflate(stream);
  delete stream;
  return nullptr;
}

constexpr int kGzip = 16 + MAX_WBITS;
constexpr int kZlib = MAX_WBITS;
constexpr int kRaw = -MAX_WBITS;

// gzip may have several members (RFC 1952, 2.2).
Decoding inflate_all(std::string_view coded, int window_bits, std::string& out) {
  const Inflate stream = make_inflate(window_bits);
  if (stream == nullptr) return Decoding::damaged;
  Output output(coded.size(), out);
  std::array<unsigned char, kChunk> chunk;
  std::string input(coded);  // zlib's interface takes no const bytes
  stream->next_in = reinterpret_cast<unsigned char*>(input.data());
  stream->avail_in = static_cast<uInt>(input.size());
  for (;;) {
    stream->next_out = chunk.data();
    stream->avail_out = chunk.size();
    const int state = inflate(stream.get(), Z_NO_FLUSH);
    const std::size_t made = chunk.size() - stream->avail_out;
    if (!output.add(chunk.data(), made)) return Decoding::too_long;
    if (state == Z_STREAM_END) {
      if (stream->avail_in == 0) return Decoding::done;
      if (window_bits != kGzip || inflateReset(stream.get()) != Z_OK) return Decoding::damaged;
    } else if (state != Z_OK || (made == 0 && stream->avail_in == 0)) {
      return Decoding::damaged;
    }
  }
}

// "deflate" is zlib's format (RFC 9110, 8.4.1.2), but some send it raw.
Decoding inflate_deflate(std::string_view coded, std::string& out) {
  const Decoding wrapped = inflate_all(coded, kZlib, out);
  return wrapped == Decoding::damaged ? inflate_all(coded, kRaw, out) : wrapped;
}

Decoding undo_brotli(std::string_view coded, std::string& out) {
  struct Destroy {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
  };
  const std::unique_ptr<BrotliDecoderState, Destroy> state(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
  if (state == nullptr) return Decoding::damaged;
  Output output(coded.size(), out);
  std::array<std::uint8_t, kChunk> chunk;
  std::size_t available = coded.size();
  const auto* next = reinterpret_cast<const std::uint8_t*>(coded.data());
  for (;;) {
    std::size_t room = chunk.size();
    std::uint8_t* to = chunk.data();
    const BrotliDecoderResult result =
        BrotliDecoderDecompressStream(state.get(), &available, &next, &room, &to, nullptr);
    if (!output.add(chunk.data(), chunk.size() - room)) return Decoding::too_long;
    if (result == BROTLI_DECODER_RESULT_SUCCESS)
      return available == 0 ? Decoding::done : Decoding::damaged;
    if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return Decoding::damaged;
  }
}

// One frame or several (RFC 8878, 3).
Decoding undo_zstd(std::string_view coded, std::string& out) {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (context == nullptr) return Decoding::damaged;
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kLargestZstdWindow);
  Output output(coded.size(), out);
  std::array<char, kChunk> chunk;
  ZSTD_inBuffer input{coded.data(), coded.size(), 0};
  for (;;) {
    ZSTD_outBuffer made{chunk.data(), chunk.size(), 0};
    const std::size_t before = input.pos;
    const std::size_t left = ZSTD_decompressStream(context.get(), &made, &input);
    if (ZSTD_isError(left) != 0) return Decoding::damaged;
    if (!output.add(chunk.data(), made.pos)) return Decoding::too_long;
    if (left == 0 && input.pos == input.size) return Decoding::done;
    const bool stuck = made.pos == 0 && input.pos == before;
    if (stuck) return Decoding::damaged;
  }
}

Decoding undo_one(std::string_view coding, std::string_view coded, std::string& out) {
  if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip"))
    return inflate_all(coded, kGzip, out);
  if (equals_ignoring_case(coding, "deflate")) return inflate_deflate(coded, out);
  if (equals_ignoring_case(coding, "br")) return undo_brotli(coded, out);
  if (equals_ignoring_case(coding, "zstd")) return undo_zstd(coded, out);
  return Decoding::unknown;
}

// In the order in which they were applied, without identity.
std::vector<std::string_view> codings_of(std::string_view list) {
  std::vector<std::string_view> codings;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view coding = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (coding.starts_with(' ') || coding.starts_with('\t')) coding.remove_prefix(1);
    while (coding.ends_with(' ') || coding.ends_with('\t')) coding.remove_suffix(1);
    if (!coding.empty() && !equals_ignoring_case(coding, "identity")) codings.push_back(coding);
  }
  return codings;
}

}  // namespace

bool has_coding(std::string_view content_encoding) {
  return !content_encoding.empty() && !codings_of(content_encoding).empty();
}

Decoding undo_codings(std::string_view content_encoding, std::span<const std::string_view> coded,
                      std::string& out) {
  const std::vector<std::string_view> codings = codings_of(content_encoding);
  if (codings.size() > kMostCodings) return Decoding::unknown;
  out.clear();
  for (const std::string_view piece : coded) out += piece;
  std::string decoded;
  for (auto coding = codings.rbegin(); coding != codings.rend(); ++coding) {
    const Decoding undone = undo_one(*coding, out, decoded);
    if (undone != Decoding::done) return undone;
    out.swap(decoded);
  }
  return Decoding::done;
}

}  // namespace segue::recorder
