// lib/runtime/watch_metrics.h: what the watchers of kinds do, counted. Thread-safe.
// The names are ours: dashboards know none for this.
#pragma once

#include "kube/watcher.h"
#include "runtime/metrics.h"

namespace rabbit::runtime {

class WatchMetrics final : public kube::WatchObserver {
 public:
  // `metrics` is not owned and must outlive it.
  explicit WatchMetrics(Metrics& metrics) : metrics_(metrics) {}

  void OnList(const kube::ResourceType& type, std::size_t objects) override;
  void OnWatchEvent(const kube::ResourceType& type) override;
  void OnTrouble(const kube::ResourceType& type, base::ErrorKind kind) override;
  void OnBadObject(const kube::ResourceType& type) override;

 private:
  Metrics& metrics_;
};

}  // namespace rabbit::runtime
