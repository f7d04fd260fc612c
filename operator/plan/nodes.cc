#include "operator/plan/nodes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "operator/plan/broker_gate.h"
#include "operator/plan/declared.h"
#include "operator/plan/words.h"
#include "operator/resources/made_of.h"
#include "operator/resources/names.h"
#include "operator/resources/pod_hash.h"
#include "rabbitmq/version.h"

namespace rabbit::plan {
namespace {

std::string WhyNotReady(const observe::Pod* pod) {
  if (pod == nullptr) return " does not exist yet";
  if (pod->deleting) return " is stopping";
  if (!pod->trouble.empty()) return ": " + Shortened(pod->trouble, 200);
  if (pod->preparing) return " is being prepared";
  return pod->ip.empty() ? " is being scheduled" : " is starting";
}

bool VolumesStay(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  return !StorageInEffect(cluster, seen).ephemeral &&
         cluster.spec.storage.retention.when_deleted == api::RetentionAction::kRetain;
}

// Where Kubernetes tells why it makes no pod: nothing else has seen the refusal.
std::string DescribeSet(const api::RabbitCluster& cluster) {
  return "kubectl describe -n " + cluster.meta.key.ns + " statefulset " +
         resources::NodeSetName(cluster.meta.key.name);
}

// Of a first start: nodes that do not start have nothing to go back to, and nothing
// that a person must keep running.
std::string FirstStartAdvice(const api::RabbitCluster& cluster, const observe::Observation& seen,
                             bool restart_helps) {
  std::vector<std::string> troubles;
  bool some_started = seen.broker.view != nullptr;
  for (const observe::Pod& pod : seen.nodes) {
    some_started = some_started || pod.ready;
    if (!pod.trouble.empty()) troubles.push_back(pod.name + WhyNotReady(&pod));
  }
  std::string advice =
      some_started ? ", and the cluster has not formed yet: " : ", and no node has started yet: ";
  if (restart_helps) {
    advice += "delete these pods, they come back with what is declared";
  } else {
    advice += BeginAnew(cluster, seen);
  }
  if (!troubles.empty()) advice += ". " + Listed(troubles, 2);
  return advice;
}

// " (because of env TZ and rabbitmq.conf key x)", or node by node where they are not alike; nothing
// where it is not known of all of them. The image is left out where it is told already.
std::string Because(const std::vector<std::string>& pods, const observe::Observation& seen,
                    const observe::MadeOf& declared, bool image_is_told) {
  std::map<std::string, std::vector<std::string>> pods_by_parts;
  for (const std::string& pod : pods) {
    const auto made_of = seen.made_of.find(pod);
    if (made_of == seen.made_of.end()) return {};
    std::vector<std::string> parts = resources::Differences(*made_of->second, declared);
    if (parts.empty()) return {};
    if (image_is_told) std::erase(parts, "image");
    if (!parts.empty()) pods_by_parts[Listed(parts, 6)].push_back(pod);
  }
  if (pods_by_parts.empty()) return {};
  const auto& [first, alike] = *pods_by_parts.begin();
  if (alike.size() == pods.size()) return " (because of " + first + ")";
  std::string because;
  for (const auto& [parts, some] : pods_by_parts) {
    because.append(because.empty() ? " (" : "; ").append(Listed(some));
    because.append(" because of ").append(parts);
  }
  return because + ")";
}

}  // namespace

bool IsFirstStart(const api::RabbitCluster& cluster, const observe::Observation& seen, bool formed,
                  const std::map<int, std::string>& volumes) {
  return !formed || (volumes.empty() && VolumesStay(cluster, seen));
}

std::string BeginAnew(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  return std::string("delete the RabbitCluster and apply it again (") +
         (VolumesStay(cluster, seen) ? "volumes are retained: nothing is lost)"
                                     : "volumes go with it)");
}

std::optional<Wait> NodesNotReady(const api::RabbitCluster& cluster,
                                  const observe::Observation& seen, int members) {
  std::vector<std::string> not_ready;
  bool in_trouble = false;
  for (int i = 0; i < members; ++i) {
    const std::string name = resources::PodName(cluster.meta.key.name, i);
    const auto found = std::ranges::find(seen.nodes, name, &observe::Pod::name);
    const observe::Pod* pod = found == seen.nodes.end() ? nullptr : &*found;
    if (pod != nullptr && pod->ready && !pod->deleting) continue;
    in_trouble = in_trouble || (pod != nullptr && !pod->trouble.empty());
    not_ready.push_back(name + WhyNotReady(pod));
  }
  if (not_ready.empty()) return std::nullopt;
  return Wait{Aspect::kNodes, in_trouble ? "NodesInTrouble" : "NodesStarting",
              std::to_string(members - static_cast<int>(not_ready.size())) + " of " +
                  Counted(static_cast<std::size_t>(members), "node") +
                  (members == 1 ? " is ready: " : " are ready: ") + Listed(not_ready)};
}

void PlanNodesReady(const api::RabbitCluster& cluster, const observe::Observation& seen,
                    int members, base::TimePoint now, Plan& plan) {
  auto wait = NodesNotReady(cluster, seen, members);
  if (!wait) return;
  if (seen.pods_missing_since && now - *seen.pods_missing_since > kLongMissing) {
    const int missing = seen.stateful_set->replicas - static_cast<int>(seen.nodes.size());
    wait->message += std::string("; why Kubernetes does not make ") +
                     (missing == 1 ? "it" : "them") + ": " + DescribeSet(cluster);
  }
  AddWait(plan, std::move(*wait));
}

std::optional<std::string> WhyConfigStays(const observe::Observation& seen,
                                          const std::string& broker_image) {
  if (!seen.stateful_set) return std::nullopt;
  if (seen.nodes.empty()) return "no node's pod is seen that would tell which image it runs";
  std::vector<std::string> others;
  std::string image;
  for (const observe::Pod& pod : seen.nodes) {
    if (rabbitmq::IsOfSeries(pod.image, broker_image)) continue;
    others.push_back(pod.name);
    image = pod.image;
  }
  if (others.empty()) return std::nullopt;
  return Listed(others) + (others.size() == 1 ? " runs" : " run") + " with image " + image +
         ", declared is " + broker_image;
}

void PlanRestartPending(const api::RabbitCluster& cluster, const observe::Observation& seen,
                        const std::string& broker_image, const GuardDecision& guard, Plan& plan,
                        const std::function<observe::MadeOf()>& declared) {
  if (!seen.stateful_set) return;
  const observe::StatefulSetState& wanted = *seen.stateful_set;
  const auto ready = std::ranges::count_if(seen.nodes, &observe::Pod::ready);
  // With all of them ready it is about to form.
  const bool first_start = std::cmp_less(ready, wanted.replicas) &&
                           IsFirstStart(cluster, seen, guard.formed, guard.volumes);
  if (seen.nodes.empty() && wanted.makes_earlier_pods && first_start) {
    AddProblem(plan, {.aspect = Aspect::kNodes,
                      .reason = "RestartPending",
                      .message = "there is no pod (" + DescribeSet(cluster) +
                                 " says what is refused). Mend what refuses them, a quota say; "
                                 "what is changed in the spec does not reach them, because "
                                 "Kubernetes makes pods with the settings of before" +
                                 FirstStartAdvice(cluster, seen, /*restart_helps=*/false),
                      .needs_person = true});
  }
  std::vector<std::string> by_spec;
  std::vector<std::string> by_operator;
  std::string other_image;
  bool restart_helps = true;  // a pod that is deleted comes back with what is declared
  for (const observe::Pod& pod : seen.nodes) {
    if (pod.deleting) continue;
    const bool old_template = !resources::SameMade(pod.template_hash, wanted.template_hash);
    const bool old_config =
        !pod.config_hash.empty() && !resources::SameMade(pod.config_hash, wanted.config_hash);
    if (!old_template && !old_config) continue;
    if ((!old_template || resources::SameSpec(pod.template_hash, wanted.template_hash)) &&
        (!old_config || resources::SameSpec(pod.config_hash, wanted.config_hash))) {
      by_operator.push_back(pod.name);
    } else {
      by_spec.push_back(pod.name);
      // It reads the configuration as it is now; its template is held by the StatefulSet's
      // partition.
      if (old_template && !resources::SameSpec(pod.template_hash, wanted.template_hash)) {
        restart_helps = false;
      }
      if (pod.image != broker_image) other_image = pod.image;
    }
  }
  if (!by_spec.empty()) {
    std::string what = other_image.empty()
                           ? std::string("earlier settings")
                           : "image " + other_image + ", declared is " + broker_image;
    if (declared) what += Because(by_spec, seen, declared(), !other_image.empty());
    std::string message = Listed(by_spec);
    if (first_start) {
      message += (by_spec.size() == 1 ? " was made with " : " were made with ") + what +
                 FirstStartAdvice(cluster, seen, restart_helps);
    } else {
      message += (by_spec.size() == 1 ? " runs with " : " run with ") + what +
                 ": this takes a rolling restart, which this version of the operator does not "
                 "do; " +
                 (restart_helps ? "delete the pods one by one, each when all others are ready: "
                                  "they come back with what is declared"
                                : "set it back (deleting a pod does not help: it comes back as "
                                  "it was)");
    }
    AddProblem(plan, {.aspect = Aspect::kNodes,
                      .reason = "RestartPending",
                      .message = std::move(message),
                      .needs_person = true});
  }
  if (!by_operator.empty()) {
    plan.warnings.push_back(
        {"RestartPending", Listed(by_operator) + (by_operator.size() == 1 ? " runs" : " run") +
                               " with what an earlier operator made of this spec; this "
                               "version of the operator does no rolling restart"});
  }
}

}  // namespace rabbit::plan
