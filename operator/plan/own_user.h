// operator/plan/own_user.h: the operator's own user at the broker is who Secret C-operator-user
// says. When the broker lets it in no more (the Secret was deleted and made anew over disks that
// stayed; the user was deleted or changed by hand), it is set anew from within a pod. Pure.
// Where that does not last, it is done less and less often (attempts.h).
#pragma once

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Says all there is to say of a broker that refuses the operator (BrokerMayBeWritten says nothing).
void PlanOwnUser(const api::RabbitCluster& cluster, const observe::Observation& seen,
                 base::TimePoint now, Plan& plan);

}  // namespace rabbit::plan
