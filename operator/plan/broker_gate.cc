#include "operator/plan/broker_gate.h"

#include <algorithm>
#include <utility>

#include "operator/api/conditions.h"
#include "operator/plan/membership/members.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

constexpr int kReplicasAtCreation = 3;

std::string NotAnswering(const observe::BrokerLook& look) {
  return "waiting for a broker to answer on its management port" +
         (look.trouble.empty() ? std::string() : ": " + look.trouble);
}

}  // namespace

bool BrokerMayBeWritten(const api::RabbitCluster& /*cluster*/, const observe::Observation& seen,
                        int members, Plan& plan) {
  const observe::BrokerLook& look = seen.broker;
  if (look.denied) return false;  // PlanOwnUser says so
  if (!look.view || !look.trouble.empty()) {
    AddWait(plan, {Aspect::kTopology, "BrokerNotAnswering", NotAnswering(look)});
    return false;
  }
  if (look.outdated) {
    AddWait(plan, {Aspect::kTopology, "LookingAgain",
                   "waiting for a look at the broker that shows what was just written"});
    return false;
  }
  if (seen.inventory && seen.inventory->formed) return true;

  // What is written before all nodes are one cluster is lost with the node that joins another.
  const rabbitmq::BrokerView& view = *look.view;
  if (!view.nodes) {
    AddWait(plan, {Aspect::kTopology, "NodesUnknown",
                   "waiting for the list of nodes: " + view.nodes.why()});
    return false;
  }
  const auto running = std::ranges::count_if(*view.nodes, &rabbitmq::Node::running);
  if (running >= members) return true;
  AddWait(plan, {Aspect::kTopology, "ClusterForming",
                 "waiting for the nodes to form one cluster: " + std::to_string(running) + " of " +
                     std::to_string(members) + " run in it"});
  return false;
}

bool IsOfNow(const observe::BrokerLook& look) {
  return look.view && look.trouble.empty() && !look.outdated;
}

int DeclaredReplicas(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  if (cluster.spec.replicas) return *cluster.spec.replicas;
  if (seen.inventory && seen.inventory->replicas) return *seen.inventory->replicas;
  for (int count = api::kMostNodes; count > kReplicasAtCreation; --count) {
    if (HasClaim(cluster, seen, count - 1)) return count;
  }
  return kReplicasAtCreation;
}

void SayBrokenEntries(const api::RabbitCluster& cluster, std::string_view list, Plan& plan) {
  for (const api::EntryError& entry : cluster.findings.entries) {
    if (entry.list != list) continue;
    AddProblem(plan, {.aspect = Aspect::kTopology,
                      .reason = "InvalidEntry",
                      .message = entry.error.ToString(),
                      .needs_person = true});
  }
}

void SayVhostMissing(std::string_view subject, std::string_view vhost, Plan& plan) {
  AddProblem(plan, {.aspect = Aspect::kTopology,
                    .reason = "VhostMissing",
                    .message = std::string(subject) + ": vhost " + std::string(vhost) +
                               " does not exist, or is being deleted: declare it in spec.vhosts",
                    .needs_person = true});
}

void SayUnsupported(std::string_view field, std::string_view kind,
                    const std::vector<std::string>& names, const rabbitmq::BrokerView& view,
                    std::string_view what, std::string_view advice, Plan& plan) {
  if (names.empty()) return;
  std::string message(field);
  message.append(" of ").append(kind).append(names.size() == 1 ? " " : "s ").append(Listed(names));
  message.append(": ").append(view.version ? "RabbitMQ " + *view.version : "the broker");
  message.append(" ").append(what).append(": ").append(advice).append(", or upgrade");
  AddProblem(plan, {.aspect = Aspect::kTopology,
                    .reason = "UnsupportedField",
                    .message = std::move(message),
                    .needs_person = true});
}

std::vector<std::string> SortedTags(std::vector<std::string> tags) {
  std::ranges::sort(tags);
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

std::string TagList(const std::vector<std::string>& tags) {
  return tags.empty() ? "none" : Quoted(Listed(tags));
}

bool TopologyWasInEffect(const api::RabbitCluster& cluster, const Plan& plan) {
  const auto condition_of_now = [&](std::string_view type) -> const api::Condition* {
    const api::Condition* condition = api::FindCondition(cluster.status.conditions, type);
    const bool of_now =
        condition != nullptr && condition->observed_generation == cluster.meta.generation;
    return of_now ? condition : nullptr;
  };
  const api::Condition* topology = condition_of_now(api::kTopologySynced);
  const api::Condition* fields = condition_of_now(api::kFieldsInEffect);
  if (topology == nullptr || topology->status != api::ConditionStatus::kTrue || fields == nullptr) {
    return false;
  }
  // An operator of before that left the same fields alone acted on the same others.
  return fields->status == api::ConditionStatus::kTrue ||
         (fields->status == api::ConditionStatus::kFalse &&
          fields->message == SayFieldsWithoutEffect(plan.fields_without_effect));
}

void AddWait(Plan& plan, Wait wait) {
  const bool known = std::ranges::any_of(plan.waits, [&](const Wait& other) {
    return other.aspect == wait.aspect && other.message == wait.message;
  });
  if (!known) plan.waits.push_back(std::move(wait));
}

void AddProblem(Plan& plan, Problem problem) {
  const bool known = std::ranges::any_of(plan.problems, [&](const Problem& other) {
    return other.aspect == problem.aspect && other.message == problem.message;
  });
  if (!known) plan.problems.push_back(std::move(problem));
}

std::optional<std::size_t> StepThatCreates(const observe::Observation& seen, const Plan& plan,
                                           std::string_view vhost) {
  if (rabbitmq::FindVhost(*seen.broker.view->vhosts, vhost) != nullptr) return std::nullopt;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto* put = std::get_if<PutVhost>(&plan.steps[i].action);
    if (put != nullptr && put->name == vhost) return i;
    const auto* import = std::get_if<ImportDefinitions>(&plan.steps[i].action);
    if (import != nullptr && std::ranges::find(import->vhosts, vhost) != import->vhosts.end()) {
      return i;
    }
  }
  return std::nullopt;
}

bool VhostGoes(const Plan& plan, std::string_view vhost) {
  return std::ranges::any_of(plan.steps, [&](const Step& step) {
    const auto* gone = std::get_if<DeleteVhost>(&step.action);
    return gone != nullptr && gone->name == vhost;
  });
}

bool VhostExists(const observe::Observation& seen, const Plan& plan, std::string_view vhost) {
  const bool is_there = rabbitmq::FindVhost(*seen.broker.view->vhosts, vhost) != nullptr ||
                        StepThatCreates(seen, plan, vhost);
  return is_there && !VhostGoes(plan, vhost);
}

}  // namespace rabbit::plan
