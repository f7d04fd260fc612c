// lib/runtime/metrics.h: what parts count, and the registry that shows it to Prometheus.
// A part declares its families as constants and names them at each call:
//   inline constexpr CounterFamily kAdds{"workqueue_adds_total", "Keys added to the queue."};
//   metrics.Add(kAdds, {{"name", "rabbitcluster"}});
// Nothing hands out a reference to a series, so Forget() leaves none dangling. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"
#include "kube/client.h"

namespace rabbit::runtime {

// Names and help follow Prometheus; a name belongs to one family.
struct CounterFamily {
  std::string_view name, help;
};
struct GaugeFamily {
  std::string_view name, help;
};
struct HistogramFamily {
  std::string_view name, help;
  std::span<const double> bounds;  // upper bounds of the buckets, ascending, without infinity
};

using Labels = std::map<std::string, std::string>;

class Metrics {
 public:
  virtual ~Metrics() = default;

  // `by` is not negative; 0 makes the series appear.
  virtual void Add(const CounterFamily& family, const Labels& labels, double by) = 0;
  void Add(const CounterFamily& family, const Labels& labels) { Add(family, labels, 1); }
  virtual void Set(const GaugeFamily& family, const Labels& labels, double value) = 0;
  virtual void Observe(const HistogramFamily& family, const Labels& labels, double value) = 0;
  // Makes the empty series appear.
  virtual void Create(const HistogramFamily& family, const Labels& labels) = 0;
  // Removes every series that has all of `labels`: those of a cluster that is gone.
  virtual void Forget(const Labels& labels) = 0;
};

// Drops everything: for tests.
[[nodiscard]] Metrics& NullMetrics();

// On prometheus-cpp. A family takes at most kMaxSeries; what comes after is dropped and counted by
// rabbit_operator_metrics_dropped_total, because a label gone wild must not eat the memory.
class Registry final : public Metrics {
 public:
  static constexpr std::size_t kMaxSeries = 20'000;

  Registry();
  ~Registry() override;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  using Metrics::Add;
  void Add(const CounterFamily& family, const Labels& labels, double by) override;
  void Set(const GaugeFamily& family, const Labels& labels, double value) override;
  void Observe(const HistogramFamily& family, const Labels& labels, double value) override;
  void Create(const HistogramFamily& family, const Labels& labels) override;
  void Forget(const Labels& labels) override;

  // All of it in the text format 0.0.4, as GET /metrics answers.
  [[nodiscard]] std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Counts rest_client_requests_total{code,method,host} for a kube::Client.
class ClientMetrics final : public kube::RequestObserver {
 public:
  // `metrics` is not owned and must outlive it. `host` is the API server's.
  ClientMetrics(Metrics& metrics, std::string host);
  void OnAnswer(http::Method method, int status) override;

 private:
  Metrics& metrics_;
  const std::string host_;
};

}  // namespace rabbit::runtime
