#include <unistd.h>

#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

constexpr std::uint64_t kMaxCores = 1024;

void read_version(const Place& place, Context& context, Settings&) {
  const auto version = read_scalar(place, context, "1");
  if (version && *version != "1") refuse_value(place, context, "1");
}

void read_core_count(const Place& place, Context& context, Settings& settings) {
  if (place.node.kind == yaml::Kind::scalar && place.node.text == "auto")
    settings.cores = 0;
  else if (const auto count = Count{1, kMaxCores}.read(place, context))
    settings.cores = static_cast<unsigned>(*count);
}

// A key whose value load() reads itself; here only its row.
Key<Settings> read_elsewhere(std::string name, std::string type, std::string about) {
  return special_key<Settings>(std::move(name), std::move(type), "", std::move(about),
                               [](const Place&, Context&, Settings&) {});
}

template <class U>
Key<Settings> documented_by(std::string name, std::string prefix, Keys<U> keys) {
  return {std::move(name), [](const Place&, Context&, Settings&) {},
          [prefix, keys](const std::string&, const Settings&, std::vector<KeyRow>& rows) {
            document_keys(prefix, keys, U{}, rows);
          }};
}

Keys<Settings> make_root_keys() {
  return {
      required(
          special_key<Settings>("version", "1", "", "of this format; must be there", read_version)),
      read_elsewhere("include", "list of paths or globs",
                     "further files, below the folder of this one; they hold the same keys but "
                     "`version` and `include`"),
      group<Settings>("service",
                      {key<Settings>("name", &Settings::service, Text{}, "stands in every record"),
                       key<Settings>("instance", &Settings::instance, Text{},
                                     "stands in every record", "the host's name")}),
      group<Settings>(
          "cores",
          {special_key<Settings>("count", "auto, or 1 to 1024", "auto",
                                 "threads that serve; auto: what CPU affinity and quota allow",
                                 read_core_count),
           key<Settings>("pin", &Settings::pin_cores, Flag{}, "each thread stays on its CPU")}),
      required(named_maps<Settings>("listeners", "listener", &Settings::listeners, listener_keys(),
                                    finish_listener)),
      section<Settings>("limits", &Settings::limits, limits_keys()),
      section<Settings>("drain", &Settings::drain, drain_keys()),
      section<Settings>("access_log", &Settings::access_log, access_log_keys()),
      required(named_maps<Settings>("backends", "backend", &Settings::backends, backend_keys(),
                                    finish_backend)),
      group<Settings>("recorder", recorder_keys()),
      archive_key(),
      live_comparison_key(),
      documented_by("defaults", "defaults", defaults_keys()),
      required(documented_by("routes", "routes.NAME", route_keys())),
      documented_by("tests", "tests[]", test_keys()),
  };
}

}  // namespace

const Keys<Settings>& root_keys() {
  static const Keys<Settings> keys = make_root_keys();
  return keys;
}

}  // namespace segue::config
