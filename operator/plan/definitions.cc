#include "operator/plan/definitions.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "operator/plan/attempts.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/plugins.h"
#include "operator/plan/words.h"
#include "rabbitmq/version.h"

namespace rabbit::plan {
namespace {

using rabbitmq::DefinitionKey;

constexpr std::string_view kImport = "import of definitions: ";
// Between two attempts at what the broker took, and does not show.
constexpr std::chrono::minutes kTakenAgainAfter(10);
// An answer as often as that will not be another.
constexpr int kRefusalsThatCount = 3;
// Entries in one call: it is to end in time also where each takes a tenth of a second.
constexpr std::size_t kTogether = 50;

struct ListRule {
  std::string_view name;
  // Those whose entries its own need. A broker may accept it without them, and pass it over.
  std::vector<std::string_view> rests_on = {"vhosts"};
  bool has_secrets = false;    // fields that its digest leaves out (rabbitmq::DigestOf)
  bool needs_plugins = false;  // the broker refuses shovels, say, without theirs
};

// What others rest on comes first.
const std::vector<ListRule>& ListRules() {
  static const std::vector<ListRule> kRules = {
      {.name = "vhosts", .rests_on = {}},
      {.name = "users", .rests_on = {}, .has_secrets = true},
      {.name = "permissions", .rests_on = {"vhosts", "users"}},
      {.name = "topic_permissions", .rests_on = {"vhosts", "users"}},
      {.name = "parameters", .has_secrets = true, .needs_plugins = true},
      {.name = "global_parameters", .rests_on = {}, .has_secrets = true, .needs_plugins = true},
      {.name = "policies", .needs_plugins = true},
      {.name = "queues", .needs_plugins = true},
      {.name = "exchanges", .needs_plugins = true},
      {.name = "bindings", .rests_on = {"vhosts", "queues", "exchanges"}, .needs_plugins = true}};
  return kRules;
}

std::string AttemptAt(std::string_view list) { return std::string(kImport).append(list); }

std::string Recorded(const observe::Observation& seen) {
  return seen.inventory ? seen.inventory->definitions : "";
}

bool IsOnce(const api::RabbitCluster& cluster) {
  return cluster.spec.definitions->mode == api::DefinitionsMode::kOnce;
}

std::string ListOf(const std::vector<DefinitionKey>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const DefinitionKey& key : keys) names.push_back(Shortened(key.ToString()));
  return Listed(names);
}

// Of an import of these of them. It stays in memory.
std::string DigestOf(const observe::DefinitionsView& view, const std::vector<DefinitionKey>& keys) {
  return base::ShortHash(rabbitmq::ComposeDefinitions(view.wanted, keys).Reveal());
}

// The definitions beside what the broker exported.
struct Comparison {
  struct List {
    const ListRule* rule = nullptr;
    std::vector<DefinitionKey> missing;  // at least one; or different
    // Of those, and of what is missing of the lists that it rests on: when they get on, what was
    // refused without them, or accepted and passed over, is another attempt.
    std::string digest;
    [[nodiscard]] std::string_view name() const { return rule->name; }
  };
  std::vector<List> lists;            // in the order of their import
  bool more_later = false;            // some are of a vhost or user that is yet to be made
  std::vector<std::string> left_out;  // policies that the broker would refuse, and why
};

class Comparer {
 public:
  Comparer(const api::RabbitCluster& cluster, const observe::Observation& seen)
      : cluster_(cluster), seen_(seen), view_(*seen.definitions), broker_(*seen.broker.view) {}

  // REQUIRES: the look was for these definitions, and showed the version.
  [[nodiscard]] Comparison Run() const {
    const auto version = rabbitmq::ParseVersion(*broker_.version);
    Comparison result;
    std::map<std::string_view, std::vector<DefinitionKey>> missing;
    for (const DefinitionKey& key : broker_.missing_definitions->keys) {
      const auto wanted = view_.wanted.find(key);
      if (wanted == view_.wanted.end()) continue;
      if (version) {
        if (const auto why = rabbitmq::RefusalOf(key, wanted->second, *version); !why.empty()) {
          result.left_out.push_back(key.ToString() + ": " + why);
          continue;
        }
      }
      if (IsYetToCome(key)) {
        result.more_later = true;
      } else {
        missing[key.list].push_back(key);
      }
    }
    std::map<std::string_view, std::string> digests;
    for (const ListRule& rule : ListRules()) {
      const auto found = missing.find(rule.name);
      if (found == missing.end()) continue;
      const std::string own = digests[rule.name] = DigestOf(view_, found->second);
      Comparison::List list{&rule, std::move(found->second), own};
      for (const std::string_view other : rule.rests_on) {
        if (const auto its = digests.find(other); its != digests.end()) {
          list.digest.append(1, ' ').append(its->second);
        }
      }
      result.lists.push_back(std::move(list));
    }
    return result;
  }

 private:
  // A vhost or user that the broker refuses keeps nothing waiting.
  [[nodiscard]] bool IsComing(const DefinitionKey& key) const {
    if (!view_.wanted.contains(key)) return false;
    const auto attempt = seen_.attempts.find(AttemptAt(key.list));
    return attempt == seen_.attempts.end() || attempt->second.refusals < kRefusalsThatCount;
  }
  [[nodiscard]] bool IsYetToCome(const DefinitionKey& key) const {
    if (key.list == "vhosts" || key.list == "users") return false;
    const std::string_view vhost = rabbitmq::VhostOf(key);
    if (!vhost.empty() && rabbitmq::FindVhost(*broker_.vhosts, vhost) == nullptr) {
      if (IsComing(rabbitmq::VhostDefinition(vhost)) ||
          std::ranges::find(cluster_.spec.vhosts, vhost, &api::Vhost::name) !=
              cluster_.spec.vhosts.end()) {
        return true;
      }
    }
    const std::string_view user = rabbitmq::UserOf(key);
    return !user.empty() && broker_.users && rabbitmq::FindUser(*broker_.users, user) == nullptr &&
           IsComing(rabbitmq::UserDefinition(user));
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const observe::DefinitionsView& view_;
  const rabbitmq::BrokerView& broker_;
};

bool AreReadable(const observe::Observation& seen) {
  return seen.definitions != nullptr && seen.definitions->trouble.empty();
}

// Nothing: not known now. REQUIRES: AreReadable().
std::optional<Comparison> Compare(const api::RabbitCluster& cluster,
                                  const observe::Observation& seen) {
  if (!IsOfNow(seen.broker)) return std::nullopt;
  const rabbitmq::BrokerView& view = *seen.broker.view;
  const auto& missing = view.missing_definitions;
  if (!missing || !view.version || !view.vhosts) return std::nullopt;
  if (missing->of.get() != &seen.definitions->wanted) return std::nullopt;  // of those of before
  return Comparer(cluster, seen).Run();
}

// Whether all was done that can be: imported, or refused for good.
bool IsDone(const Comparison& comparison, const observe::Observation& seen) {
  return !comparison.more_later &&
         std::ranges::all_of(comparison.lists, [&](const Comparison::List& list) {
           const observe::Attempt* attempt = FindAttempt(seen, AttemptAt(list.name()), list.digest);
           return attempt != nullptr &&
                  (!attempt->failed() || attempt->refusals >= kRefusalsThatCount);
         });
}

class DefinitionsPlanner {
 public:
  DefinitionsPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     base::TimePoint now, Plan& plan)
      : cluster_(cluster), seen_(seen), view_(*seen.definitions), now_(now), plan_(plan) {}

  void Run(int members) {
    const std::string recorded = Recorded(seen_);
    const bool is_past = IsOnce(cluster_) && !recorded.empty();
    if (is_past) SettleAll();
    if (is_past && view_.gone) return;
    if (!view_.trouble.empty()) return SayTrouble();
    if (is_past) {
      if (recorded == view_.content_digest) return;
      plan_.warnings.push_back(
          {"DefinitionsChanged", view_.source +
                                     ": is another one than was imported, and spec.definitions."
                                     "mode is Once: Keep would import it again"});
      return;
    }
    const auto comparison = Compare(cluster_, seen_);
    if (!comparison) return SayUnknown();
    if (IsOnce(cluster_) && IsDone(*comparison, seen_)) return SayEnd(*comparison);
    if (!comparison->left_out.empty()) Say("DefinitionsRefused", LeftOut(*comparison));
    const bool drift = recorded == view_.content_digest && TopologyWasInEffect(cluster_, plan_);
    const bool plugins_are_coming = PluginsAreComing(cluster_, seen_, members);
    for (const ListRule& rule : ListRules()) {
      const auto found = std::ranges::find(comparison->lists, &rule, &Comparison::List::rule);
      if (found == comparison->lists.end()) {
        const std::string attempt = AttemptAt(rule.name);
        if (seen_.attempts.contains(attempt)) plan_.settled_attempts.push_back(attempt);
      } else if (rule.needs_plugins && plugins_are_coming) {
        AddWait(plan_, {Aspect::kTopology, "PluginsChanging",
                        "what is missing of spec.definitions is imported once spec.plugins run"});
      } else {
        Import(*found, drift && !rule.has_secrets);
      }
    }
  }

  void SettleAll() {
    for (const auto& [name, attempt] : seen_.attempts) {
      if (name.starts_with(kImport)) plan_.settled_attempts.push_back(name);
    }
  }

 private:
  void Say(const char* reason, std::string message) {
    AddProblem(plan_, {.aspect = Aspect::kTopology,
                       .reason = reason,
                       .message = std::move(message),
                       .needs_person = true});
  }
  void Wait(const std::string& message) {
    AddWait(plan_, {Aspect::kTopology, "DefinitionsUnknown", message});
  }
  void SayTrouble() {
    const std::string message = "spec.definitions: " + view_.source + ": " + view_.trouble;
    view_.needs_person ? Say("DefinitionsInvalid", message) : Wait(message);
  }
  void SayUnknown() {
    const rabbitmq::BrokerView& view = *seen_.broker.view;
    const auto& missing = view.missing_definitions;
    std::string why;  // else they are asked for from the next look on, which is soon
    if (!missing && missing.why() != rabbitmq::kNotAsked) why = ": " + missing.why();
    if (!view.version) why = ": " + view.version.why();
    if (!view.vhosts) why = ": " + view.vhosts.why();
    Wait("waiting for what the broker has of the definitions" + why);
  }

  [[nodiscard]] std::string LeftOut(const Comparison& comparison) const {
    return view_.source + ": left out, because the broker would refuse it: " +
           Shortened(Listed(comparison.left_out, 3), 600);
  }
  // Of those that are imported once: told as they are recorded, and never again.
  void SayEnd(const Comparison& comparison) {
    const auto warn = [&](std::string message) {
      plan_.warnings.push_back({"DefinitionsRefused", std::move(message)});
    };
    if (!comparison.left_out.empty()) warn(LeftOut(comparison));
    for (const Comparison::List& list : comparison.lists) {
      const std::string& why = seen_.attempts.at(AttemptAt(list.name())).trouble;
      warn(view_.source + ": was imported, but for " + ListOf(list.missing) +
           (why.empty() ? "" : ": " + Shortened(why, 400)));
    }
  }

  void Import(const Comparison::List& list, bool drift) {
    const std::string attempt = AttemptAt(list.name());
    const auto last = seen_.attempts.find(attempt);
    const bool was_refused = last != seen_.attempts.end() && last->second.refusals > 0;
    const observe::Attempt* same = FindAttempt(seen_, attempt, list.digest);
    if (last != seen_.attempts.end() && last->second.failed() && !was_refused) {
      // It may still be at work there.
      Wait(Shortened(last->second.trouble, 400) + "; what is still missing is imported again");
      if (now_ < TriedAgainAt(last->second)) return;
    } else if (same != nullptr) {
      if (same->failed()) {
        Say("DefinitionsRefused", Shortened(same->trouble, 400) + "; it is tried again");
        if (now_ < TriedAgainAt(*same)) return;
      } else {
        Say("DefinitionsNotTaken",
            view_.source +
                ": was imported, and the broker does not have as it says: " + ListOf(list.missing));
        if (now_ < same->at + kTakenAgainAfter) return;
      }
    }
    const char* reason = Recorded(seen_) == view_.content_digest
                             ? "are missing or different at the broker: "
                             : "are yet to be imported: ";
    // Also where a failure took none of them in: the first one may be what the broker fails at.
    const bool one_by_one = was_refused || (same != nullptr && same->failed());
    plan_.steps.push_back({.action = StepFor(list, one_by_one ? 1 : kTogether),
                           .reason = reason + ListOf(list.missing),
                           .after = std::nullopt,
                           .repairs_drift = drift,
                           .attempt = attempt,
                           .attempt_digest = list.digest});
  }

  // The broker stops at the first entry that it refuses: after a refusal each goes by itself.
  [[nodiscard]] ImportDefinitions StepFor(const Comparison::List& list,
                                          std::size_t together) const {
    ImportDefinitions step{.source = view_.source,
                           .list = std::string(list.name()),
                           .entries = list.missing.size(),
                           .parts = {},
                           .vhosts = {}};
    for (std::size_t i = 0; i < list.missing.size(); i += together) {
      const auto begin = list.missing.begin() + static_cast<std::ptrdiff_t>(i);
      const std::vector<DefinitionKey> keys(
          begin, begin + static_cast<std::ptrdiff_t>(std::min(together, list.missing.size() - i)));
      step.parts.push_back(
          {.what = ListOf(keys), .body = rabbitmq::ComposeDefinitions(view_.wanted, keys)});
    }
    if (list.name() != "vhosts") return step;
    for (const DefinitionKey& key : list.missing) step.vhosts.push_back(key.names.front());
    return step;
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const observe::DefinitionsView& view_;
  const base::TimePoint now_;
  Plan& plan_;
};

}  // namespace

void PlanDefinitions(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     int members, base::TimePoint now, Plan& plan) {
  if (!cluster.spec.definitions) {
    // Declared again, they are imported again: also at once.
    for (const auto& [name, attempt] : seen.attempts) {
      if (name.starts_with(kImport)) plan.settled_attempts.push_back(name);
    }
    return;
  }
  if (seen.definitions == nullptr) return;
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  DefinitionsPlanner(cluster, seen, now, plan).Run(members);
}

std::string DefinitionsForInventory(const api::RabbitCluster& cluster,
                                    const observe::Observation& seen) {
  if (!cluster.spec.definitions) return {};  // declared again, they are imported again
  std::string recorded = Recorded(seen);
  if (!AreReadable(seen) || (IsOnce(cluster) && !recorded.empty())) return recorded;
  if (recorded == seen.definitions->content_digest) return recorded;
  const auto comparison = Compare(cluster, seen);
  return comparison && IsDone(*comparison, seen) ? seen.definitions->content_digest : recorded;
}

bool MayBeDefined(const api::RabbitCluster& cluster, const observe::Observation& seen,
                  const DefinitionKey& key) {
  if (!cluster.spec.definitions) return false;
  if (!AreReadable(seen)) return true;
  const std::string recorded = Recorded(seen);
  // What was imported were others, which nobody knows any more.
  if (IsOnce(cluster) && !recorded.empty() && recorded != seen.definitions->content_digest) {
    return true;
  }
  return seen.definitions->wanted.contains(key);
}

bool IsHandedToDefinitions(const api::RabbitCluster& cluster, const observe::Observation& seen,
                           const DefinitionKey& key) {
  return cluster.spec.definitions && AreReadable(seen) &&
         Recorded(seen) == seen.definitions->content_digest &&
         seen.definitions->wanted.contains(key);
}

}  // namespace rabbit::plan
