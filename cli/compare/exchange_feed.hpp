#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/exchange_reader.hpp"
#include "cli/filters.hpp"
#include "cli/seen_ids.hpp"
#include "cli/source.hpp"
#include "recorder/exchange.pb.h"

namespace segue::cli {

class Progress;

// A source, and beside it the topic of its shadows where they have one of their own: that which is
// named, or else that of the configuration when the source is the configuration's topic.
std::vector<Source> with_shadow_topic(const Source& source,
                                      const std::optional<std::string>& named);

// Primary, shadow and control exchanges of some sources, those of several merged by created_at as
// far as they have come. One thread.
class ExchangeFeed {
 public:
  // `filters` says which primaries are meant; it must outlive the feed and be prepared. Throws
  // StartupError, RemoteError.
  ExchangeFeed(const std::vector<Source>& sources, const ReadRange& range, const Filters& filters);

  // Null: nothing more for now. Valid until the next call; its content may be taken. A shadow or
  // control whose primary came before it and is not meant does not come. Throws StartupError.
  v1::Exchange* next();

  void show(Progress& progress) const;
  void tell_damage();

 private:
  struct Part {
    ExchangeReader reader;
    v1::Exchange* head = nullptr;
  };

  v1::Exchange* next_of_all();
  bool wanted(const v1::Exchange& exchange);

  const Filters& filters_;
  std::vector<Part> parts_;
  Part* given_ = nullptr;  // whose head was given last
  SeenIds left_out_;       // primaries that are not meant, and had a shadow
};

}  // namespace segue::cli
