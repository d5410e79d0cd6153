#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/gateway.hpp"

namespace segue::gateway {

using MetricFamilies = std::vector<prometheus::MetricFamily>;

// Builds families in Prometheus' data model, one sample after the other.
class MetricsWriter {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // Families of one sample without labels.
  struct Plain {
    prometheus::MetricType type;
    const char* name;
    const char* help;
    std::uint64_t value;
  };
  void plain(std::span<const Plain> metrics);

  // Samples that follow belong to this family.
  void family(prometheus::MetricType type, std::string name, std::string help);
  void value(double value, const Labels& labels = {});
  void histogram(const DurationHistogram& durations, const Labels& labels);

  MetricFamilies take() noexcept { return std::move(families_); }

 private:
  prometheus::ClientMetric& sample(const Labels& labels);
  MetricFamilies families_;
};

// What the data plane counted, over all cores, as of now: asks each core for a copy.
void write_gateway_metrics(Gateway& gateway, MetricsWriter& out);

// Prometheus text exposition format 0.0.4.
std::string exposition(const MetricFamilies& families);

}  // namespace segue::gateway
