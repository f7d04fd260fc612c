#include "runtime/event_series.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "base/hash.h"

namespace rabbit::runtime {
namespace {

// Makes room for one more.
template <typename Map>
void Bound(Map& map, std::size_t most, base::TimePoint now, base::Duration idle) {
  if (map.size() < most) return;
  std::erase_if(map, [&](const auto& entry) { return now - entry.second.last > idle; });
  if (map.size() < most) return;
  map.erase(std::min_element(map.begin(), map.end(), [](const auto& a, const auto& b) {
    return a.second.last < b.second.last;
  }));
}

// "rabbit.17a3…": the object's name, cut so that the whole fits a name of the API.
std::string EventName(const std::string& object, std::uint64_t unique) {
  constexpr std::size_t kLongest = 253;
  std::array<char, 18> suffix{};
  const int length = std::snprintf(suffix.data(), suffix.size(), ".%016llx",
                                   static_cast<unsigned long long>(unique));
  const auto size = static_cast<std::size_t>(length);
  std::string name = object.substr(0, kLongest - size);
  while (!name.empty() && (name.back() == '.' || name.back() == '-')) name.pop_back();
  return name + std::string(suffix.data(), size);
}

}  // namespace

EventSeries::Digest EventSeries::DigestOf(const ObjectReference& object) {
  std::string text;
  for (const std::string* part :
       {&object.api_version, &object.kind, &object.key.ns, &object.key.name, &object.uid}) {
    text.append(*part).append(1, '\0');
  }
  return base::ShortHash(text);
}

EventSeries::Digest EventSeries::DigestOf(const Event& event) {
  std::string text = DigestOf(event.regarding);
  for (const std::string* part : {&event.reason, &event.action, &event.note}) {
    text.append(1, '\0').append(*part);
  }
  return base::ShortHash(text.append(event.warning ? "w" : "n"));
}

bool EventSeries::Spend(const ObjectReference& object, base::TimePoint now) {
  const Digest digest = DigestOf(object);
  auto found = objects_.find(digest);
  if (found == objects_.end()) {
    Bound(objects_, kMaxKept, now, kBurst * kRefill);
    found = objects_.emplace(digest, Budget{0, now, now}).first;
  }
  Budget& budget = found->second;
  budget.last = now;
  const auto refills = (now - budget.since) / kRefill;
  budget.since += refills * base::Duration(kRefill);
  budget.spent = static_cast<int>(std::max<std::int64_t>(0, budget.spent - refills));
  // A full budget does not fill up further, so the next refill counts from the next event on.
  if (budget.spent == 0) budget.since = now;
  if (budget.spent >= kBurst) return false;
  ++budget.spent;
  return true;
}

EventWrite EventSeries::On(const Event& event, base::TimePoint now, std::uint64_t unique) {
  const Digest digest = DigestOf(event);
  auto found = series_.find(digest);
  if (found != series_.end() && now - found->second.last > kIdle) {
    series_.erase(found);
    found = series_.end();
  }
  if (found == series_.end()) {
    Bound(series_, kMaxKept, now, kIdle);
    found = series_.emplace(digest, Series{}).first;
  }
  Series& series = found->second;
  series.last = now;
  if (series.count < std::numeric_limits<int>::max()) ++series.count;
  EventWrite write{EventWrite::Kind::kNothing, series.name, series.count};
  if (!Spend(event.regarding, now)) return write;
  if (!series.name.empty()) {
    write.kind = EventWrite::Kind::kCount;
    return write;
  }
  series.name = EventName(event.regarding.key.name, unique);
  write.kind = EventWrite::Kind::kCreate;
  write.name = series.name;
  return write;
}

void EventSeries::Forget(const Event& event) { series_.erase(DigestOf(event)); }

}  // namespace rabbit::runtime
