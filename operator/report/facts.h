// operator/report/facts.h: what Report's parts judge by: the arguments of one MakeReport(), and
// what several parts read off them. Pure. Everything here lives for one call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "operator/report/report.h"
#include "rabbitmq/view.h"

namespace rabbit::report {

// Something that holds back `Ready`, from a problem, a failed step, a wait or a step whose effect
// is yet to be seen.
struct Finding {
  enum class Weight { kPerson, kTrouble, kWait, kPending };  // worst first
  plan::Aspect aspect = plan::Aspect::kChildren;
  Weight weight = Weight::kPending;
  std::string reason;
  std::string message;
};

// REQUIRES: what is referred to outlives it.
struct Facts {
  const api::RabbitCluster& cluster;
  const observe::Observation& seen;
  const plan::Plan& plan;
  const std::vector<StepResult>& results;
  base::WallTime wall_now;

  int declared = 0;  // nodes

  // The broker's view when it is of now; null while nobody answers, and `broker_*` say why.
  const rabbitmq::BrokerView* broker = nullptr;
  std::string broker_reason;  // "BrokerNotAnswering", "BrokerDenied"
  std::string broker_message;

  std::vector<Finding> findings;        // worst first, else in the order of the plan
  std::vector<plan::Warning> warnings;  // of the plan and of the spec
};

[[nodiscard]] Facts GatherFacts(const api::RabbitCluster& cluster, const observe::Observation& seen,
                                const plan::Plan& plan, const std::vector<StepResult>& results,
                                base::TimePoint now, base::WallTime wall_now);

// What became of step `index` of the plan.
[[nodiscard]] StepResult ResultOf(const Facts& facts, std::size_t index);
// What the step is part of.
[[nodiscard]] plan::Aspect AspectOf(const Facts& facts, const plan::Action& action);

// The broker's pod of this ordinal, or nullptr.
[[nodiscard]] const observe::Pod* PodOf(const Facts& facts, int ordinal);
// The member that the pod of this ordinal runs, or nullptr. REQUIRES: facts.broker->nodes.
[[nodiscard]] const rabbitmq::Node* MemberOf(const Facts& facts, int ordinal);
// What the proxy said when it was last looked at, or nullptr: it did not answer.
[[nodiscard]] const haproxy::ProxyView* ViewOf(const Facts& facts, const observe::Pod& proxy);
// Whether a look at the broker was recent enough to call its view the present.
[[nodiscard]] bool IsRecent(base::TimePoint look, api::Duration interval, base::TimePoint now);
// The configuration that every proxy is to run; empty: not known.
[[nodiscard]] std::string WantedProxyHash(const Facts& facts);

}  // namespace rabbit::report
