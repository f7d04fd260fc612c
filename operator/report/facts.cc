#include "operator/report/facts.h"

#include <algorithm>
#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"

namespace rabbit::report {
namespace {

using Outcome = StepResult::Outcome;
using Weight = Finding::Weight;

// A failed look says so itself (BrokerLook::trouble); age is the net below, for a look that never
// came back. Generous, because looks are stretched when there are more than the budget allows.
constexpr int kMostIntervals = 10;
constexpr std::chrono::minutes kLeastAge(5);

// Whether repeating the step can help. A conflict or a taken name is looked at again at once, a
// stop is no failure: none of them is worth a word to people.
bool IsTold(const base::Error& error) {
  return error.kind != base::ErrorKind::kConflict && error.kind != base::ErrorKind::kExists &&
         error.kind != base::ErrorKind::kCancelled;
}

void JudgeBroker(Facts& facts, base::TimePoint now) {
  const observe::BrokerLook& look = facts.seen.broker;
  if (look.denied && !look.trouble.empty()) {  // else it tells its nodes all the same
    facts.broker_reason = "BrokerDenied";
    facts.broker_message = "the broker refuses the operator's password";
  } else if (!look.trouble.empty()) {
    facts.broker_reason = "BrokerNotAnswering";
    facts.broker_message = "no broker answers: " + look.trouble;
  } else if (!look.view) {
    facts.broker_reason = "BrokerNotAnswering";
    facts.broker_message = "no broker has answered yet";
  } else if (!IsRecent(look.at, facts.cluster.spec.drift_interval, now)) {
    facts.broker_reason = "BrokerNotAnswering";
    facts.broker_message = "the last answer of a broker is too old";
  } else {
    facts.broker = look.view.get();
  }
}

// "create Service c and 3 more steps": of one aspect.
std::string Steps(const std::vector<std::string>& steps) {
  std::string text = steps.front();
  if (steps.size() > 1) text += " and " + plan::Counted(steps.size() - 1, "more step");
  return text;
}

using StepsByAspect = std::vector<std::pair<plan::Aspect, std::vector<std::string>>>;

void Add(StepsByAspect& all, plan::Aspect aspect, std::string step) {
  const auto known = std::ranges::find(all, aspect, [](const auto& entry) { return entry.first; });
  auto& steps = known == all.end() ? all.emplace_back(aspect, std::vector<std::string>()) : *known;
  steps.second.push_back(std::move(step));
}

void AddFindings(Facts& facts, const StepsByAspect& all, Weight weight, const char* reason,
                 const char* what) {
  for (const auto& [aspect, steps] : all) {
    facts.findings.push_back(
        {.aspect = aspect, .weight = weight, .reason = reason, .message = what + Steps(steps)});
  }
}

void GatherSteps(Facts& facts) {
  // One finding an aspect for all that went well: their effect is yet to be seen.
  StepsByAspect pending;
  for (std::size_t i = 0; i < facts.plan.steps.size(); ++i) {
    const plan::Step& step = facts.plan.steps[i];
    const plan::Aspect aspect = AspectOf(facts, step.action);
    const StepResult result = ResultOf(facts, i);
    if (result.outcome == Outcome::kFailed && result.error && IsTold(*result.error)) {
      const bool person = IsRefused(result);
      facts.findings.push_back({.aspect = aspect,
                                .weight = person ? Weight::kPerson : Weight::kTrouble,
                                .reason = person ? "StepRefused" : "StepFailed",
                                .message = result.error->message});
      continue;
    }
    Add(pending, aspect, plan::Describe(step));
  }
  AddFindings(facts, pending, Weight::kPending, "Applying", "to be seen in effect: ");
}

void GatherHeldSteps(Facts& facts) {
  StepsByAspect held;
  for (const plan::Step& step : facts.plan.held) {
    Add(held, AspectOf(facts, step.action), plan::Describe(step));
  }
  AddFindings(facts, held, Weight::kPerson, "Paused", "held back by spec.paused: ");
}

}  // namespace

Facts GatherFacts(const api::RabbitCluster& cluster, const observe::Observation& seen,
                  const plan::Plan& plan, const std::vector<StepResult>& results,
                  base::TimePoint now, base::WallTime wall_now) {
  Facts facts{.cluster = cluster,
              .seen = seen,
              .plan = plan,
              .results = results,
              .wall_now = wall_now,
              .declared = 0,
              .broker_reason = {},
              .broker_message = {},
              .findings = {},
              .warnings = plan.warnings};
  facts.declared =
      plan.declared.replicas ? *plan.declared.replicas : plan::DeclaredReplicas(cluster, seen);
  for (const api::SpecWarning& warning : cluster.findings.warnings) {
    facts.warnings.push_back({"SpecWarning", warning.path + ": " + warning.message});
  }
  for (const std::string& path : cluster.findings.unknown_fields) {
    facts.warnings.push_back({"UnknownField", path + ": no such field; it has no effect"});
  }
  JudgeBroker(facts, now);
  for (const plan::Problem& problem : plan.problems) {
    facts.findings.push_back({.aspect = problem.aspect,
                              .weight = problem.needs_person ? Weight::kPerson : Weight::kTrouble,
                              .reason = problem.reason,
                              .message = problem.message});
  }
  for (const plan::Wait& wait : plan.waits) {
    facts.findings.push_back({wait.aspect, Weight::kWait, wait.reason, wait.message});
  }
  GatherSteps(facts);
  GatherHeldSteps(facts);
  std::ranges::stable_sort(facts.findings, {}, &Finding::weight);
  return facts;
}

StepResult ResultOf(const Facts& facts, std::size_t index) {
  if (index < facts.results.size()) return facts.results[index];
  return {.outcome = Outcome::kSkipped, .error = {}};
}

plan::Aspect AspectOf(const Facts& facts, const plan::Action& action) {
  const std::string& name = facts.cluster.meta.key.name;
  const auto of_object = [&](const std::string& object) {
    return object == resources::ProxyName(name) || object == resources::ProxyAdminServiceName(name)
               ? plan::Aspect::kLoadBalancer
               : plan::Aspect::kChildren;
  };
  if (const auto* step = std::get_if<plan::CreateObject>(&action)) return of_object(step->name);
  if (const auto* step = std::get_if<plan::ApplyObject>(&action)) return of_object(step->name);
  if (const auto* step = std::get_if<plan::DeleteObject>(&action)) return of_object(step->name);
  if (std::holds_alternative<plan::CreateSecretOnce>(action)) return plan::Aspect::kChildren;
  if (std::holds_alternative<plan::ChangeSecret>(action)) return plan::Aspect::kChildren;
  if (std::holds_alternative<plan::ExecInPod>(action)) return plan::Aspect::kNodes;
  return plan::Aspect::kTopology;
}

const observe::Pod* PodOf(const Facts& facts, int ordinal) {
  const std::string name = resources::PodName(facts.cluster.meta.key.name, ordinal);
  const auto found = std::ranges::find(facts.seen.nodes, name, &observe::Pod::name);
  return found == facts.seen.nodes.end() ? nullptr : &*found;
}

const rabbitmq::Node* MemberOf(const Facts& facts, int ordinal) {
  const kube::ObjectKey& key = facts.cluster.meta.key;
  return rabbitmq::FindNode(*facts.broker->nodes, resources::NodeName(key.name, key.ns, ordinal));
}

const haproxy::ProxyView* ViewOf(const Facts& facts, const observe::Pod& proxy) {
  const auto& looks = facts.seen.proxy_looks;
  const auto look = std::ranges::find(looks, proxy.name, &observe::ProxyLook::pod);
  return look == looks.end() || !look->trouble.empty() ? nullptr : look->view.get();
}

bool IsRecent(base::TimePoint look, api::Duration interval, base::TimePoint now) {
  return now - look <= std::max<base::Duration>(interval * kMostIntervals, kLeastAge);
}

std::string WantedProxyHash(const Facts& facts) {
  if (!facts.plan.declared.proxy_config_hash.empty()) return facts.plan.declared.proxy_config_hash;
  // All pods of a settled Deployment were made from the template that was applied last.
  const auto& deployment = facts.seen.proxy_deployment;
  if (!deployment || !deployment->settled || facts.seen.proxies.empty()) return {};
  return facts.seen.proxies.front().config_hash;
}

}  // namespace rabbit::report
