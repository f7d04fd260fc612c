// lib/kube/watcher.h: keeps a Store in step with the server: one thread a kind, which makes the
// calls that a WatchMachine asks for and hands what comes to an ObjectSink.
//
//   Store<Pod> pods;
//   StoreFeed<Pod> feed(pods, ParsePod);     // ParsePod: Result<Pod>(std::string_view json)
//   Watcher watcher(client, clock, random, logger, nullptr, {kPods, {.label_selector = …}}, feed);
//   watcher.Start();  …  pods.HasSynced()
//
// A watch occupies a connection for minutes: give watchers a transport of their own. Memory while
// listing: one item's text, and the values of the new list beside those of the old one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "kube/client.h"
#include "kube/json_text.h"
#include "kube/request.h"
#include "kube/store.h"
#include "kube/watch_machine.h"

namespace rabbit::kube {

// Where a watcher puts what it hears. Called on the watcher's thread only.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  // A new list begins; one that was begun before and not finished is void.
  virtual void BeginList() = 0;
  // An error: the object is not understood. It is logged, and what was known of it stays.
  virtual base::Result<void> Listed(Item item) = 0;
  virtual void FinishList() = 0;
  virtual base::Result<void> Changed(Item item) = 0;
  virtual void Deleted(const ObjectKey& key) = 0;
};

// Told of what watchers do, for metrics. Implementations are thread-safe.
class WatchObserver {
 public:
  virtual ~WatchObserver() = default;
  virtual void OnList(const ResourceType& type, std::size_t objects) = 0;
  virtual void OnWatchEvent(const ResourceType& type) = 0;
  virtual void OnTrouble(const ResourceType& type, base::ErrorKind kind) = 0;
  virtual void OnBadObject(const ResourceType& type) = 0;  // not understood, left as it was
};

struct WatchTarget {
  ResourceType type;
  Selection selection;
};

class Watcher {
 public:
  // Nothing is owned; all must outlive the watcher. `observer` may be null.
  Watcher(Client& client, base::Clock& clock, base::Random& random, base::Logger& logger,
          WatchObserver* observer, WatchTarget target, ObjectSink& sink,
          const WatchSettings& settings = {});
  ~Watcher();  // Stop()

  // Starts the thread; once.
  void Start();
  // Ends the call that is open. Does not wait: of several watchers all can end at once.
  void RequestStop() { thread_.request_stop(); }
  // RequestStop(), and joins the thread. Idempotent.
  void Stop();

  // What the thread does, for tests: makes one call and returns nothing, or returns the time before
  // which there is nothing to do.
  std::optional<base::TimePoint> Step(const std::stop_token& stop);

  // Thread-safe. Why the copy may be out of date now; nothing when the last call went well.
  [[nodiscard]] std::optional<base::Error> Trouble() const RABBIT_EXCLUDES(mutex_);
  // The same once no call has gone well for `least`: more than a server that is restarted.
  [[nodiscard]] std::optional<base::Error> LastingTrouble(base::Duration least) const
      RABBIT_EXCLUDES(mutex_);

 private:
  class PageSink;
  class StreamSink;

  void Run(const std::stop_token& stop);
  void List(const WatchCall& call, const std::stop_token& stop);
  void Watch(const WatchCall& call, const std::stop_token& stop);
  void Note(const base::Result<void>& result, std::string_view doing);
  void NoteBadObject(const base::Error& error);

  Client& client_;
  base::Clock& clock_;
  base::Logger& logger_;
  WatchObserver* observer_;
  const WatchTarget target_;
  ObjectSink& sink_;
  const WatchSettings settings_;
  WatchMachine machine_;
  std::size_t listed_ = 0;  // objects of the list that is coming in
  mutable base::Mutex mutex_;
  base::CondVar wake_;
  std::optional<base::Error> trouble_ RABBIT_GUARDED_BY(mutex_);
  base::TimePoint trouble_since_ RABBIT_GUARDED_BY(mutex_){};
  std::jthread thread_;
};

// Feeds a Store with values that `project` makes from an object's JSON text (without
// managedFields). The text of an object whose version the store has already is not parsed.
template <typename T>
class StoreFeed final : public ObjectSink {
 public:
  using Project = std::function<base::Result<T>(std::string_view json)>;

  // `store` must outlive it.
  StoreFeed(Store<T>& store, Project project) : store_(store), project_(std::move(project)) {}

  void BeginList() override { list_.clear(); }
  base::Result<void> Listed(Item item) override {
    std::shared_ptr<const T> value;
    base::Result<void> result;
    if (!store_.Has(item.key, item.resource_version)) result = Parse(item, value);
    list_.push_back({std::move(item.key), std::move(item.resource_version), std::move(value)});
    return result;
  }
  void FinishList() override { store_.Reset(std::exchange(list_, {})); }
  base::Result<void> Changed(Item item) override {
    std::shared_ptr<const T> value;
    auto result = Parse(item, value);
    if (result) store_.Put(item.key, item.resource_version, std::move(value));
    return result;
  }
  void Deleted(const ObjectKey& key) override { store_.Remove(key); }

 private:
  base::Result<void> Parse(const Item& item, std::shared_ptr<const T>& value) {
    auto projected = project_(item.text);
    if (!projected) return base::FailWrapped(std::move(projected.error()), item.key.ToString());
    value = std::make_shared<const T>(*std::move(projected));
    return {};
  }

  Store<T>& store_;
  const Project project_;
  std::vector<typename Store<T>::Listed> list_;
};

}  // namespace rabbit::kube
