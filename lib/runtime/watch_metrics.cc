#include "runtime/watch_metrics.h"

namespace rabbit::runtime {
namespace {

constexpr CounterFamily kLists{"rabbit_operator_watch_lists_total",
                               "Complete lists of a kind: one at the start, more when a watch "
                               "could not go on."};
constexpr CounterFamily kEvents{"rabbit_operator_watch_events_total",
                                "Changes of objects that a watch has told."};
constexpr CounterFamily kFailures{"rabbit_operator_watch_failures_total",
                                  "Lists and watches that failed, by kind of error."};
constexpr CounterFamily kBadObjects{
    "rabbit_operator_watch_bad_objects_total",
    "Objects that were not understood: what was known of them is kept."};

Labels Of(const kube::ResourceType& type) { return {{"kind", std::string(type.kind())}}; }

}  // namespace

void WatchMetrics::OnList(const kube::ResourceType& type, std::size_t /*objects*/) {
  metrics_.Add(kLists, Of(type));
  metrics_.Add(kEvents, Of(type), 0);
  metrics_.Add(kBadObjects, Of(type), 0);
}

void WatchMetrics::OnWatchEvent(const kube::ResourceType& type) { metrics_.Add(kEvents, Of(type)); }

void WatchMetrics::OnTrouble(const kube::ResourceType& type, base::ErrorKind kind) {
  Labels labels = Of(type);
  labels["error"] = base::Name(kind);
  metrics_.Add(kFailures, labels);
}

void WatchMetrics::OnBadObject(const kube::ResourceType& type) {
  metrics_.Add(kBadObjects, Of(type));
}

}  // namespace rabbit::runtime
