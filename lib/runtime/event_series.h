// lib/runtime/event_series.h: which events are written, and how. Pure: time is an argument.
//   The same event again   a higher count on the one that was written first
//   More than 25 at once   the object's further ones are dropped; one more is let through every
//   five
//                          minutes. Counts go on meanwhile, and the next one that passes tells them
// Not thread-safe. What is kept is bounded: the object or series idle for longest goes first.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <tuple>

#include "base/clock.h"
#include "kube/resource.h"

namespace rabbit::runtime {

// The object that an event is about.
struct ObjectReference {
  std::string api_version, kind;
  kube::ObjectKey key;
  std::string uid;
  auto operator<=>(const ObjectReference&) const = default;
};

struct Event {
  ObjectReference regarding;
  bool warning = false;
  std::string reason;  // a CamelCase word for machines: "NameTaken"
  std::string action;  // what was done or tried, a word: "Create"; empty: the reason, as the API
                       // server refuses an Event without one
  std::string note;    // for people; at most 1 KiB is kept
  auto operator<=>(const Event&) const = default;
};

struct EventWrite {
  enum class Kind { kCreate, kCount, kNothing };
  Kind kind = Kind::kNothing;
  std::string name;  // of the Event object
  int count = 1;     // how often the event has happened by now
};

class EventSeries {
 public:
  static constexpr int kBurst = 25;
  static constexpr std::chrono::minutes kRefill{5};
  // Shorter than the hour after which the API server forgets an Event.
  static constexpr std::chrono::minutes kIdle{30};
  static constexpr std::size_t kMaxKept = 1024;

  // `event` has happened. `unique` tells apart the Event objects of all processes and times.
  EventWrite On(const Event& event, base::TimePoint now, std::uint64_t unique);

  // The Event object of `event` is not there (any more): the next one makes a new one.
  void Forget(const Event& event);

  [[nodiscard]] std::size_t kept() const { return series_.size() + objects_.size(); }

 private:
  struct Series {
    std::string name;  // empty: not written yet
    int count = 0;
    base::TimePoint last{};
  };
  struct Budget {
    int spent = 0;
    base::TimePoint since{};  // from when on refills count
    base::TimePoint last{};
  };
  using Digest = std::string;  // short: of a thousand events nothing else is kept
  static Digest DigestOf(const ObjectReference& object);
  static Digest DigestOf(const Event& event);
  bool Spend(const ObjectReference& object, base::TimePoint now);

  std::map<Digest, Series> series_;
  std::map<Digest, Budget> objects_;
};

}  // namespace rabbit::runtime
