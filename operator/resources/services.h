// operator/resources/services.h: the four Services, the ServiceAccount and the disruption budgets.
// Pure.
#pragma once

#include "operator/resources/children.h"

namespace rabbit::resources {

// C: where clients connect: to the proxies, or to the brokers when there are none.
[[nodiscard]] DesiredChild BuildClientService(const ChildInputs& inputs);
// C-brokers: the ready brokers themselves.
[[nodiscard]] DesiredChild BuildBrokersService(const ChildInputs& inputs);
// C-nodes: gives each broker pod its name, from before it is ready.
[[nodiscard]] DesiredChild BuildNodesService(const ChildInputs& inputs);
// C-haproxy-admin: statistics and metrics of the proxies.
[[nodiscard]] DesiredChild BuildProxyAdminService(const ChildInputs& inputs);

// Brokers know nothing of Kubernetes: no token, no rights.
[[nodiscard]] DesiredChild BuildServiceAccount(const ChildInputs& inputs);

[[nodiscard]] DesiredChild BuildNodesBudget(const ChildInputs& inputs);
[[nodiscard]] DesiredChild BuildProxyBudget(const ChildInputs& inputs);

}  // namespace rabbit::resources
