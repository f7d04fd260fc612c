// lib/kube/store.h: the latest known state of a kind's objects, as immutable values.
// One writer (the watcher's thread), any number of readers; thread-safe. A reader gets a shared_ptr
// to a value that never changes; a later state is another value.
// Handlers run on the writer's thread after the store has changed, without a lock: a handler may
// read the store and finds there at least what it is told of.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "kube/resource.h"

namespace rabbit::kube {

template <typename T>
class Store {
 public:
  using Value = std::shared_ptr<const T>;

  struct Change {
    const ObjectKey& key;
    const Value& before;  // null: added
    const Value& after;   // null: deleted; `before` is then the last known state
  };
  using Handler = std::function<void(const Change&)>;
  // Values that share an index text are found together: the cluster that a child belongs to. Empty:
  // not indexed.
  using IndexFunction = std::function<std::string(const T&)>;

  explicit Store(IndexFunction index = nullptr) : index_(std::move(index)) {}

  // Call it before the watcher starts.
  void AddHandler(Handler handler) { handlers_.push_back(std::move(handler)); }

  // Null when it is not there.
  [[nodiscard]] Value Get(const ObjectKey& key) const {
    base::MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.value;
  }
  // In the order of the keys.
  [[nodiscard]] std::vector<Value> All() const {
    base::MutexLock lock(mutex_);
    std::vector<Value> values;
    values.reserve(entries_.size());
    for (const auto& [key, entry] : entries_) values.push_back(entry.value);
    return values;
  }
  [[nodiscard]] std::vector<Value> Indexed(const std::string& index) const {
    base::MutexLock lock(mutex_);
    std::vector<Value> values;
    const auto found = by_index_.find(index);
    if (found == by_index_.end()) return values;
    values.reserve(found->second.size());
    for (const Node* node : found->second) values.push_back(node->second.value);
    return values;
  }
  [[nodiscard]] std::size_t size() const {
    base::MutexLock lock(mutex_);
    return entries_.size();
  }
  // The first list is in, and every handler has been told of all of it.
  [[nodiscard]] bool HasSynced() const { return synced_; }

  // ---- for the writer ----

  // An object was added or changed. The same resourceVersion again changes nothing and is not told.
  void Put(const ObjectKey& key, const std::string& resource_version, Value value) {
    Value before;
    {
      base::MutexLock lock(mutex_);
      Node& node = *entries_.try_emplace(key).first;
      if (node.second.value && node.second.version == DigestOf(resource_version)) return;
      before = Replace(node, {value, DigestOf(resource_version)});
    }
    Tell(key, before, value);
  }

  void Remove(const ObjectKey& key) {
    Value before;
    {
      base::MutexLock lock(mutex_);
      const auto found = entries_.find(key);
      if (found == entries_.end()) return;
      before = Replace(*found, {});
      entries_.erase(found);
    }
    Tell(key, before, nullptr);
  }

  // One object of a complete list. A null value stands for "unchanged, or not understood": what the
  // store has is kept.
  struct Listed {
    ObjectKey key;
    std::string resource_version;
    Value value;
  };
  // Makes `list` the content, at one blow for readers; then tells what was added, changed and
  // deleted. Values whose resourceVersion is the known one stay as they are and are not told.
  void Reset(std::vector<Listed> list) {
    struct Difference {
      ObjectKey key;
      Value before, after;
    };
    std::vector<Difference> differences;
    {
      base::MutexLock lock(mutex_);
      std::map<ObjectKey, Entry> gone;
      gone.swap(entries_);
      for (Listed& listed : list) {
        auto known = gone.extract(listed.key);
        const bool same =
            known && (!listed.value || known.mapped().version == DigestOf(listed.resource_version));
        if (!known && !listed.value) continue;
        Node& node = known ? *entries_.insert(std::move(known)).position
                           : *entries_.try_emplace(listed.key).first;
        if (same) continue;
        Value before = Replace(node, {listed.value, DigestOf(listed.resource_version)});
        differences.push_back({std::move(listed.key), std::move(before), std::move(listed.value)});
      }
      for (Node& node : gone) {
        Value before = Replace(node, {});
        differences.push_back({node.first, std::move(before), nullptr});
      }
    }
    for (const Difference& difference : differences) {
      Tell(difference.key, difference.before, difference.after);
    }
    synced_ = true;
  }
  // Whether Reset() or Put() stored this version of the object.
  [[nodiscard]] bool Has(const ObjectKey& key, const std::string& resource_version) const {
    base::MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    return found != entries_.end() && found->second.version == DigestOf(resource_version);
  }

 private:
  struct Entry {
    Value value;
    std::uint64_t version = 0;  // DigestOf(resourceVersion): it is only compared, and kept for all
  };
  static std::uint64_t DigestOf(const std::string& resource_version) {
    return std::hash<std::string>()(resource_version);
  }

  using Node = std::pair<const ObjectKey, Entry>;  // of entries_, whose nodes stay where they are

  // Puts `next` into `node`, keeps the index in step, and returns the value before.
  Value Replace(Node& node, Entry next) RABBIT_REQUIRES(mutex_) {
    const std::string before = IndexOf(node.second.value);
    const std::string after = IndexOf(next.value);
    if (before != after) {
      Unlist(before, node);
      List(after, node);
    }
    std::swap(node.second, next);
    return std::move(next.value);
  }

  // Empty: not indexed.
  std::string IndexOf(const Value& value) const {
    return index_ && value ? index_(*value) : std::string();
  }
  void List(const std::string& index, const Node& node) RABBIT_REQUIRES(mutex_) {
    if (index.empty()) return;
    std::vector<const Node*>& listed = by_index_[index];
    listed.insert(std::upper_bound(listed.begin(), listed.end(), &node, ByKey), &node);
  }
  void Unlist(const std::string& index, const Node& node) RABBIT_REQUIRES(mutex_) {
    const auto found = by_index_.find(index);
    if (found == by_index_.end()) return;
    std::erase(found->second, &node);
    if (found->second.empty()) by_index_.erase(found);
  }
  static bool ByKey(const Node* a, const Node* b) { return a->first < b->first; }

  void Tell(const ObjectKey& key, const Value& before, const Value& after) {
    for (const Handler& handler : handlers_) handler({key, before, after});
  }

  const IndexFunction index_;
  std::vector<Handler> handlers_;
  mutable base::Mutex mutex_;
  std::map<ObjectKey, Entry> entries_ RABBIT_GUARDED_BY(mutex_);
  // Few share an index, and many indexes are kept: pointers into entries_, by key.
  std::map<std::string, std::vector<const Node*>> by_index_ RABBIT_GUARDED_BY(mutex_);
  std::atomic<bool> synced_{false};
};

}  // namespace rabbit::kube
