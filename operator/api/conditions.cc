#include "operator/api/conditions.h"

#include <algorithm>
#include <chrono>

namespace rabbit::api {
namespace {

constexpr std::size_t kLongestMessage = 1024;  // bytes; the schema allows 32,768

void Cut(std::string& text) {
  if (text.size() <= kLongestMessage) return;
  constexpr std::string_view kEllipsis = "…";
  std::size_t end = kLongestMessage - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  text += kEllipsis;
}

}  // namespace

void SetCondition(std::vector<Condition>& conditions, Condition condition, base::WallTime now) {
  Cut(condition.message);
  condition.last_transition_time = std::chrono::floor<std::chrono::seconds>(now);
  const auto same = std::find_if(conditions.begin(), conditions.end(), [&](const Condition& other) {
    return other.type == condition.type;
  });
  if (same == conditions.end()) {
    conditions.push_back(std::move(condition));
    return;
  }
  if (same->status == condition.status) {
    condition.last_transition_time = same->last_transition_time;
  }
  *same = std::move(condition);
}

const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [&](const Condition& c) { return c.type == type; });
  return found == conditions.end() ? nullptr : &*found;
}

bool IsTrue(const std::vector<Condition>& conditions, std::string_view type) {
  const Condition* condition = FindCondition(conditions, type);
  return condition != nullptr && condition->status == ConditionStatus::kTrue;
}

void SortConditions(std::vector<Condition>& conditions,
                    const std::vector<std::string_view>& types) {
  const auto rank = [&](const Condition& c) {
    return std::find(types.begin(), types.end(), c.type) - types.begin();
  };
  std::stable_sort(conditions.begin(), conditions.end(),
                   [&](const Condition& a, const Condition& b) { return rank(a) < rank(b); });
}

}  // namespace rabbit::api
