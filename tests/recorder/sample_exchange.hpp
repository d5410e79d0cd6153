#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.hpp"

namespace segue::test {

// Exchanges for tests, with the memory that their views point into. Not copied or moved once a
// view was taken.
class SampleExchange {
 public:
  // A page of a shop as a browser asks for it: about 2.3 KB on record.
  static void fill_browser_page(SampleExchange& sample);
  // Anything at all: any octets, any counts, any enum value, empty or not.
  static void fill_random(SampleExchange& sample, std::mt19937_64& random);

  SampleExchange() = default;
  SampleExchange(const SampleExchange&) = delete;
  SampleExchange& operator=(const SampleExchange&) = delete;

  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  ExchangeView view;
  std::vector<Field> request_fields, request_trailers, response_fields, response_trailers, inputs;
  std::vector<Parameter> parameters;
  std::vector<std::string_view> request_blocks, response_blocks;
  std::vector<std::uint16_t> interim;
  std::vector<Attempt> attempts;

  // Points the view's spans at the vectors above: call after they were filled.
  void connect();

 private:
  std::deque<std::string> texts_;
};

ExchangeId id_number(std::uint64_t n);

}  // namespace segue::test
