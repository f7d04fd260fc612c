// lib/runtime/health.h: named checks behind /livez and /readyz. Thread-safe.
// Live: the process does its work, or a restart would help. Ready: it has what it needs to begin.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/mutex.h"

namespace rabbit::runtime {

class Health {
 public:
  enum class Kind { kLive, kReady };
  // Nothing when all is well, else the reason. Quick, thread-safe, asks nobody over a network.
  using Check = std::function<std::optional<std::string>()>;

  // Replaces a check of the same name. What `check` refers to must outlive this object.
  void Add(Kind kind, std::string name, Check check) RABBIT_EXCLUDES(mutex_);

  struct Report {
    bool ok = true;
    // A line a check, by name: "[+]leader ok", "[-]caches failed: pods have not synced".
    std::string text;
  };
  [[nodiscard]] Report Look(Kind kind) const RABBIT_EXCLUDES(mutex_);

 private:
  mutable base::Mutex mutex_;
  std::map<std::string, Check> live_ RABBIT_GUARDED_BY(mutex_);
  std::map<std::string, Check> ready_ RABBIT_GUARDED_BY(mutex_);
};

}  // namespace rabbit::runtime
