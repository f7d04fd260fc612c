#include "runtime/health.h"

#include <utility>

namespace rabbit::runtime {

void Health::Add(Kind kind, std::string name, Check check) {
  base::MutexLock lock(mutex_);
  (kind == Kind::kLive ? live_ : ready_)[std::move(name)] = std::move(check);
}

Health::Report Health::Look(Kind kind) const {
  std::map<std::string, Check> checks;  // run without the lock: they take locks of their own
  {
    base::MutexLock lock(mutex_);
    checks = kind == Kind::kLive ? live_ : ready_;
  }
  Report report;
  for (const auto& [name, check] : checks) {
    const std::optional<std::string> reason = check();
    report.ok = report.ok && !reason;
    report.text += reason ? "[-]" + name + " failed: " + *reason + "\n" : "[+]" + name + " ok\n";
  }
  report.text += report.ok ? "ok\n" : "failed\n";
  return report;
}

}  // namespace rabbit::runtime
