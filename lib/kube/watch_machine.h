// lib/kube/watch_machine.h: what to ask the server next, to hold a faithful copy of a kind's
// objects. List, then watch from the list's version; after anything that breaks the watch, decide
// between watching on and listing again, now or after a back-off. Decisions only: no I/O, no clock,
// no objects (the owner, kube/watcher.h, moves those). Rules follow client-go's reflector
// (tools/cache/reflector.go); where we differ, the .cc says why. Left out: a list that comes as a
// stream (sendInitialEvents), which saves the server memory with lists far longer than ours, and
// which not every server knows. Not thread-safe.
//
//   machine.Next(now) says: wait until, or list this page, or watch from here.
//   After a page:   OnPage() or OnListFailed().
//   After a watch:  OnOpened() when a 2xx came, OnEvent() for each event, OnStreamEnd() always.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"

namespace rabbit::kube {

struct WatchSettings {
  int page_size = 100;                           // objects a page; 0: no limit
  std::chrono::seconds list_deadline{60};        // of one page
  std::chrono::seconds watch_timeout{300};       // timeoutSeconds is this up to twice this
  std::chrono::seconds watch_grace{10};          // our own deadline is that much later
  std::chrono::milliseconds first_backoff{800};  // doubles; up to as much again at random
  std::chrono::milliseconds longest_backoff{30'000};
  std::chrono::seconds quiet{120};  // without trouble for so long: the first again
  int retries_of_500 = 3;           // in a row, before a relist
};

struct WatchCall {
  enum class Kind { kWait, kList, kWatch };
  Kind kind = Kind::kList;
  base::TimePoint until{};  // kWait
  std::string
      resource_version;        // kList: "" (the latest), "0" (any) or at least this; kWatch: after
  std::string continue_token;  // kList: not empty: a further page of the same list
  int limit = 0;               // kList
  std::chrono::seconds timeout{0};  // kWatch: timeoutSeconds
};

class WatchMachine {
 public:
  // `random` must outlive it.
  WatchMachine(const WatchSettings& settings, base::Random& random);

  // The next call. Asking again without an answer in between gives the same call.
  [[nodiscard]] WatchCall Next(base::TimePoint now);

  // A page came whole. True when it was the last one: the list replaces the store's content. An
  // empty `resource_version` is an error of the server, and counts as a failure.
  bool OnPage(std::string resource_version, std::string continue_token, base::TimePoint now);
  // A page failed: what was listed so far is void.
  void OnListFailed(const base::Error& error, base::TimePoint now);

  void OnOpened(base::TimePoint now);
  // ADDED, MODIFIED, DELETED and BOOKMARK all move the version forward.
  void OnEvent(std::string resource_version);
  // `result`: success or a network error when the stream ended; the server's refusal; or what an
  // ERROR event said. After kCancelled nothing changes.
  void OnStreamEnd(const base::Result<void>& result, base::TimePoint now);

  [[nodiscard]] const std::string& resource_version() const { return version_; }

 private:
  enum class State { kListing, kWatching };
  void RelistAfterBackoff(const base::Error& error, base::TimePoint now);
  void BackOff(const base::Error& error, base::TimePoint now);

  const WatchSettings settings_;
  base::Random& random_;
  State state_ = State::kListing;
  std::string version_;        // last one known; empty: none yet
  bool latest_ = false;        // the next list asks for "", because `version_` did not do
  bool tried_latest_ = false;  // in this attempt, so that the immediate retry happens once
  bool paged_ = false;         // the server has split a list of ours into pages
  std::string continue_;
  std::optional<std::chrono::seconds> timeout_;  // of the watch that is next or open
  std::optional<base::TimePoint> opened_at_;
  int events_ = 0;        // of the open stream
  int failures_500_ = 0;  // in a row
  std::optional<base::TimePoint> wait_until_;
  std::chrono::milliseconds backoff_;
  std::optional<base::TimePoint> backed_off_at_;
};

}  // namespace rabbit::kube
