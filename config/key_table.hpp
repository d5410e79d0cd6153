#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/place.hpp"

// The keys of a map, declared once: what reads them, and their row in docs/configuration.md.
// Defaults are those of the settings struct that is filled.
namespace segue::config {

// One row of the key table in docs/configuration.md.
struct KeyRow {
  std::string key;  // "limits.head"
  std::string type;
  std::string default_text;  // empty: none
  std::string about;
};

template <class T>
struct Key {
  std::string name;
  std::function<void(const Place&, Context&, T&)> read;
  std::function<void(const std::string& key, const T& defaults, std::vector<KeyRow>&)> document;
  bool is_required = false;
};

template <class T>
using Keys = std::vector<Key<T>>;

// Reads a map into `into`: every key by its row; unknown and missing ones are reported.
template <class T>
void read_map(const Place& place, const Keys<T>& keys, Context& context, T& into) {
  if (!is_map(place, context)) return;
  std::vector<std::string_view> known;
  for (const Key<T>& key : keys) known.push_back(key.name);
  for (const yaml::Entry& entry : place.node.entries)
    if (std::find(known.begin(), known.end(), entry.key) == known.end())
      refuse_unknown_key(place, entry, context, known);
  for (const Key<T>& key : keys) {
    if (const yaml::Entry* entry = place.node.find(key.name)) {
      key.read(place.child(*entry), context, into);
    } else if (key.is_required) {
      context.report.add(
          codes::kMissingKey, place.at,
          (place.name.empty() ? "the file" : place.name) + " needs '" + key.name + "'");
    }
  }
}

template <class T>
void document_keys(const std::string& prefix, const Keys<T>& keys, const T& defaults,
                   std::vector<KeyRow>& rows) {
  for (const Key<T>& key : keys)
    key.document(prefix.empty() ? key.name : prefix + "." + key.name, defaults, rows);
}

// A key with a value of one type. `where` is a member pointer or a function from T& to a
// reference. `default_text` replaces what the settings struct holds by default.
template <class T, class Where, class Type>
Key<T> key(std::string name, Where where, Type type, std::string about,
           std::optional<std::string> default_text = {}) {
  return {
      std::move(name),
      [where, type](const Place& place, Context& context, T& into) {
        using Member = std::remove_cvref_t<std::invoke_result_t<Where, T&>>;
        if (auto value = type.read(place, context))
          std::invoke(where, into) = static_cast<Member>(std::move(*value));
      },
      [where, type, about, default_text](const std::string& path, const T& defaults,
                                         std::vector<KeyRow>& rows) {
        T copy = defaults;
        rows.push_back({path, type.type(),
                        default_text ? *default_text : type.show(std::invoke(where, copy)), about});
      }};
}

// A key read by a function of its own.
template <class T, class Read>
Key<T> special_key(std::string name, std::string type, std::string default_text, std::string about,
                   Read read) {
  return {
      std::move(name), std::move(read),
      [type, default_text, about](const std::string& path, const T&, std::vector<KeyRow>& rows) {
        rows.push_back({path, type, default_text, about});
      }};
}

// A map within a map that fills the same struct.
template <class T>
Key<T> group(std::string name, Keys<T> keys) {
  return {std::move(name),
          [keys](const Place& place, Context& context, T& into) {
            read_map(place, keys, context, into);
          },
          [keys](const std::string& path, const T& defaults, std::vector<KeyRow>& rows) {
            document_keys(path, keys, defaults, rows);
          }};
}

// A map within a map that fills a member; an optional member exists once the map is there.
template <class T, class Where, class U>
Key<T> section(std::string name, Where where, Keys<U> keys) {
  return {std::move(name),
          [where, keys](const Place& place, Context& context, T& into) {
            auto& member = std::invoke(where, into);
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, U>) {
              read_map(place, keys, context, member);
            } else {
              read_map(place, keys, context, member.emplace());
            }
          },
          [keys](const std::string& path, const T&, std::vector<KeyRow>& rows) {
            document_keys(path, keys, U{}, rows);
          }};
}

// A map from names to maps of the same keys: listeners, backends. `finish` sees each map after
// its keys were read.
template <class T, class U, class Finish>
Key<T> named_maps(std::string name, std::string_view singular, std::vector<U> T::* where,
                  Keys<U> keys, Finish finish) {
  return {std::move(name),
          [=](const Place& place, Context& context, T& into) {
            if (!is_map(place, context)) return;
            for (const yaml::Entry& entry : place.node.entries) {
              if (!check_name(entry, singular, context)) continue;
              U value;
              value.name = entry.key;
              const Place child = place.child(entry);
              read_map(child, keys, context, value);
              finish(child, context, value);
              (into.*where).push_back(std::move(value));
            }
          },
          [keys](const std::string& path, const T&, std::vector<KeyRow>& rows) {
            document_keys(path + ".NAME", keys, U{}, rows);
          }};
}

template <class T>
Key<T> required(Key<T> key) {
  key.is_required = true;
  return key;
}

}  // namespace segue::config
