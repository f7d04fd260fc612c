#include "operator/report/quiet.h"

#include <algorithm>
#include <utility>

#include "operator/api/conditions.h"

namespace rabbit::report {
namespace {

// Leaves out what moves by itself while clients work.
api::Status WithoutCounts(api::Status status) {
  status.counted_at.reset();
  status.summary.mirrors.clear();
  status.queues.reset();
  status.load_balancer.backends_up.reset();
  if (status.policies) {
    // Policies whose mirrors are being filled come and go.
    std::erase_if(status.policies->unhealthy,
                  [](const api::UnhealthyPolicy& policy) { return policy.queues.has_value(); });
    status.policies->unhealthy_not_listed = 0;
  }
  for (api::Condition& condition : status.conditions) {
    if (condition.type == api::kQueuesReplicated) condition.message.clear();
  }
  return status;
}

// Leaves out what moves while a cluster is on its way. Of conditions only what is True is left.
api::Status WithoutProgress(api::Status status) {
  status.summary = {};
  status.replicas.reset();
  status.ready_replicas.reset();
  status.nodes.clear();
  status.load_balancer.replicas.reset();
  status.load_balancer.ready_replicas.reset();
  for (api::Condition& condition : status.conditions) {
    condition.reason.clear();
    condition.message.clear();
    condition.last_transition_time = {};
    if (condition.status == api::ConditionStatus::kUnknown) {
      condition.status = api::ConditionStatus::kFalse;
    }
  }
  return status;
}

}  // namespace

std::string WithoutNumbers(std::string_view text) {
  std::string without;
  without.reserve(text.size());
  for (const char c : text) {
    if (c < '0' || c > '9') {
      without += c;
    } else if (without.empty() || without.back() != '#') {
      without += '#';
    }
  }
  return without;
}

Difference Compare(const api::Status& stored, const api::Status& fresh) {
  api::Status a = stored;
  api::Status b = fresh;
  a.counted_at = b.counted_at;
  if (a == b) return Difference::kNone;
  a = WithoutCounts(std::move(a));
  b = WithoutCounts(std::move(b));
  if (a == b) return Difference::kCounts;
  return WithoutProgress(std::move(a)) == WithoutProgress(std::move(b)) ? Difference::kProgress
                                                                        : Difference::kNews;
}

base::Duration ProgressPause(std::size_t clusters) {
  return std::max<base::Duration>(kProgressPause, std::chrono::milliseconds(100) * clusters);
}

Settled Settle(const api::Status& stored, api::Status fresh, base::WallTime now,
               base::Duration progress_pause) {
  const Difference difference = Compare(stored, fresh);
  if (difference == Difference::kNone) return {stored, std::nullopt};
  if (difference != Difference::kNews && stored.counted_at && *stored.counted_at <= now) {
    const base::Duration pause =
        difference == Difference::kCounts ? base::Duration(kCountsPause) : progress_pause;
    const auto since = std::chrono::duration_cast<base::Duration>(now - *stored.counted_at);
    if (since < pause) return {stored, pause - since};
  }
  fresh.counted_at = std::chrono::floor<std::chrono::seconds>(now);
  return {std::move(fresh), std::nullopt};
}

}  // namespace rabbit::report
