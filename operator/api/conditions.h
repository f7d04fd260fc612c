// operator/api/conditions.h: the types of conditions, and the one way to set one. Pure,
// thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "operator/api/status.h"

namespace rabbit::api {

inline constexpr std::string_view kReady = "Ready";  // all that is declared is in effect
inline constexpr std::string_view kReconciling = "Reconciling";
inline constexpr std::string_view kStalled = "Stalled";  // a person must act
inline constexpr std::string_view kFieldsInEffect = "FieldsInEffect";
inline constexpr std::string_view kAvailable = "Available";
inline constexpr std::string_view kNodesReady = "NodesReady";
inline constexpr std::string_view kTopologySynced = "TopologySynced";
inline constexpr std::string_view kQueuesReplicated = "QueuesReplicated";
inline constexpr std::string_view kLoadBalancerSynced = "LoadBalancerSynced";

// Sets the condition of `condition.type`, adding it at the end when it is new. Its
// lastTransitionTime is `now` (cut to seconds) when the status is another than before, else the one
// it had: a status that is not news stays equal, and is not written. The message is cut, at a whole
// character, to what the schema bears.
void SetCondition(std::vector<Condition>& conditions, Condition condition, base::WallTime now);

[[nodiscard]] const Condition* FindCondition(const std::vector<Condition>& conditions,
                                             std::string_view type);
// Whether the condition is there and True.
[[nodiscard]] bool IsTrue(const std::vector<Condition>& conditions, std::string_view type);

// Puts the conditions in the order of `types`, those not named behind them, and drops none.
void SortConditions(std::vector<Condition>& conditions, const std::vector<std::string_view>& types);

}  // namespace rabbit::api
