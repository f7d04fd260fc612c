#include "runtime/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace rabbit::runtime {
namespace {

constexpr CounterFamily kDropped{"rabbit_operator_metrics_dropped_total",
                                 "Measurements dropped because their family has too many series."};
constexpr CounterFamily kRequests{
    "rest_client_requests_total",
    "Requests to the Kubernetes API by status code, method and host; code <error>: no answer."};

bool ContainsAll(const Labels& labels, const Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

class Nowhere final : public Metrics {
 public:
  void Add(const CounterFamily&, const Labels&, double) override {}
  void Set(const GaugeFamily&, const Labels&, double) override {}
  void Observe(const HistogramFamily&, const Labels&, double) override {}
  void Create(const HistogramFamily&, const Labels&) override {}
  void Forget(const Labels&) override {}
};

// The families of one type by name, each with its series by labels.
template <typename Series>
class Table {
 public:
  // Null when the family is full.
  template <typename Register, typename... Args>
  Series* FindOrMake(std::string_view name, const Labels& labels, const Register& make_family,
                     const Args&... args) {
    auto entry = families_.find(name);
    if (entry == families_.end()) {
      entry = families_.emplace(std::string(name), Entry{&make_family(), {}}).first;
    }
    auto& series = entry->second.series;
    const auto found = series.find(labels);
    if (found != series.end()) return found->second;
    if (series.size() >= Registry::kMaxSeries) return nullptr;
    Series& made = entry->second.family->Add(labels, args...);
    series.emplace(labels, &made);
    return &made;
  }

  void Forget(const Labels& labels) {
    for (auto& [name, entry] : families_) {
      std::erase_if(entry.series, [&, family = entry.family](const auto& series) {
        if (!ContainsAll(series.first, labels)) return false;
        family->Remove(series.second);
        return true;
      });
    }
  }

 private:
  struct Entry {
    prometheus::Family<Series>* family;
    std::map<Labels, Series*> series;
  };
  std::map<std::string, Entry, std::less<>> families_;
};

}  // namespace

Metrics& NullMetrics() {
  static Nowhere nowhere;  // without state
  return nowhere;
}

struct Registry::Impl {
  prometheus::Counter* FindOrMake(const CounterFamily& family, const Labels& labels)
      RABBIT_REQUIRES(mutex) {
    return counters.FindOrMake(family.name, labels, [&]() -> auto& {
      return prometheus::BuildCounter()
          .Name(std::string(family.name))
          .Help(std::string(family.help))
          .Register(registry);
    });
  }
  prometheus::Gauge* FindOrMake(const GaugeFamily& family, const Labels& labels)
      RABBIT_REQUIRES(mutex) {
    return gauges.FindOrMake(family.name, labels, [&]() -> auto& {
      return prometheus::BuildGauge()
          .Name(std::string(family.name))
          .Help(std::string(family.help))
          .Register(registry);
    });
  }
  prometheus::Histogram* FindOrMake(const HistogramFamily& family, const Labels& labels)
      RABBIT_REQUIRES(mutex) {
    return histograms.FindOrMake(
        family.name, labels,
        [&]() -> auto& {
          return prometheus::BuildHistogram()
              .Name(std::string(family.name))
              .Help(std::string(family.help))
              .Register(registry);
        },
        prometheus::Histogram::BucketBoundaries(family.bounds.begin(), family.bounds.end()));
  }
  void CountDrop() RABBIT_REQUIRES(mutex) { FindOrMake(kDropped, {})->Increment(); }

  prometheus::Registry registry;  // guards itself
  base::Mutex mutex;
  Table<prometheus::Counter> counters RABBIT_GUARDED_BY(mutex);
  Table<prometheus::Gauge> gauges RABBIT_GUARDED_BY(mutex);
  Table<prometheus::Histogram> histograms RABBIT_GUARDED_BY(mutex);
};

Registry::Registry() : impl_(std::make_unique<Impl>()) { Add(kDropped, {}, 0); }
Registry::~Registry() = default;

void Registry::Add(const CounterFamily& family, const Labels& labels, double by) {
  base::MutexLock lock(impl_->mutex);
  if (auto* counter = impl_->FindOrMake(family, labels)) {
    counter->Increment(by);
  } else {
    impl_->CountDrop();
  }
}

void Registry::Set(const GaugeFamily& family, const Labels& labels, double value) {
  base::MutexLock lock(impl_->mutex);
  if (auto* gauge = impl_->FindOrMake(family, labels)) {
    gauge->Set(value);
  } else {
    impl_->CountDrop();
  }
}

void Registry::Observe(const HistogramFamily& family, const Labels& labels, double value) {
  base::MutexLock lock(impl_->mutex);
  if (auto* histogram = impl_->FindOrMake(family, labels)) {
    histogram->Observe(value);
  } else {
    impl_->CountDrop();
  }
}

void Registry::Create(const HistogramFamily& family, const Labels& labels) {
  base::MutexLock lock(impl_->mutex);
  if (impl_->FindOrMake(family, labels) == nullptr) impl_->CountDrop();
}

void Registry::Forget(const Labels& labels) {
  base::MutexLock lock(impl_->mutex);
  impl_->counters.Forget(labels);
  impl_->gauges.Forget(labels);
  impl_->histograms.Forget(labels);
}

std::string Registry::Text() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, impl_->registry.Collect());
  return std::move(text).str();
}

ClientMetrics::ClientMetrics(Metrics& metrics, std::string host)
    : metrics_(metrics), host_(std::move(host)) {
  metrics_.Add(kRequests, {{"code", "200"}, {"method", "GET"}, {"host", host_}}, 0);
}

void ClientMetrics::OnAnswer(http::Method method, int status) {
  metrics_.Add(kRequests, {{"code", status == 0 ? "<error>" : std::to_string(status)},
                           {"method", std::string(http::Name(method))},
                           {"host", host_}});
}

}  // namespace rabbit::runtime
