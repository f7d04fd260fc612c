#include "operator/plan/definitions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "operator/plan/attempts.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"

namespace rabbit::plan {
namespace {

constexpr const char* kImport = "import of definitions";
// Between two attempts at what the broker took, and does not show.
constexpr std::chrono::minutes kTakenAgainAfter(10);

// "<of the whole content>-<of what of it is imported>"
std::string RecordOf(const observe::DefinitionsView& view) {
  return view.content_digest + "-" + view.digest;
}
std::string_view Content(std::string_view record) { return record.substr(0, record.find('-')); }

std::string Recorded(const observe::Observation& seen) {
  return seen.inventory ? seen.inventory->definitions : "";
}

std::vector<rabbitmq::DefinitionKey> AllKeys(const rabbitmq::Definitions& definitions) {
  std::vector<rabbitmq::DefinitionKey> keys;
  keys.reserve(definitions.size());
  for (const auto& [key, text] : definitions) keys.push_back(key);
  return keys;
}

std::string ListOf(const std::vector<rabbitmq::DefinitionKey>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const rabbitmq::DefinitionKey& key : keys) names.push_back(Shortened(key.ToString()));
  return Listed(names);
}

// Of an import of these of them.
std::string DigestOf(const observe::DefinitionsView& view,
                     const std::vector<rabbitmq::DefinitionKey>& keys) {
  std::string text = RecordOf(view);
  for (const rabbitmq::DefinitionKey& key : keys) {
    text.append(1, '\n').append(key.list);
    for (const std::string& name : key.names) text.append(1, '\0').append(name);
  }
  return base::ShortHash(text);
}

class DefinitionsPlanner {
 public:
  DefinitionsPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     base::TimePoint now, Plan& plan)
      : cluster_(cluster), seen_(seen), view_(*seen.definitions), now_(now), plan_(plan) {}

  void Run() {
    const std::string recorded = Recorded(seen_);
    const bool keep = cluster_.spec.definitions->mode == api::DefinitionsMode::kKeep;
    if (!view_.trouble.empty()) return SayTrouble();
    if (recorded.empty()) {
      Import(AllKeys(view_.wanted), "have not been imported yet", false);
    } else if (!keep) {
      if (Content(recorded) != view_.content_digest) {
        plan_.warnings.push_back(
            {"DefinitionsChanged", view_.source +
                                       ": is another one than was imported, and spec.definitions."
                                       "mode is Once: Keep would import it again"});
      }
    } else if (recorded != RecordOf(view_)) {
      Import(AllKeys(view_.wanted), "are others than were imported", false);
    } else {
      Compare();
    }
  }

 private:
  void SayTrouble() {
    const std::string message = "spec.definitions: " + view_.source + ": " + view_.trouble;
    if (view_.needs_person) {
      AddProblem(plan_, {.aspect = Aspect::kTopology,
                         .reason = "DefinitionsInvalid",
                         .message = message,
                         .needs_person = true});
    } else {
      AddWait(plan_, {Aspect::kTopology, "DefinitionsUnknown", message});
    }
  }

  // With what the broker exported at the last look.
  void Compare() {
    const auto& missing = seen_.broker.view->missing_definitions;
    if (!missing) {
      // Asked for from the next look on, which is soon.
      if (missing.why() != rabbitmq::kNotAsked) {
        AddWait(plan_, {Aspect::kTopology, "DefinitionsUnknown",
                        "waiting for the broker's definitions: " + missing.why()});
      }
      return;
    }
    std::vector<rabbitmq::DefinitionKey> keys;  // the look may have been for those of before
    for (const rabbitmq::DefinitionKey& key : *missing) {
      if (view_.wanted.contains(key)) keys.push_back(key);
    }
    if (keys.empty()) {
      plan_.settled_attempts.emplace_back(kImport);
    } else {
      Import(keys, "are missing or different at the broker: " + ListOf(keys),
             TopologyWasInEffect(cluster_, plan_));
    }
  }

  void Import(const std::vector<rabbitmq::DefinitionKey>& keys, std::string reason, bool drift) {
    const std::string digest = DigestOf(view_, keys);
    if (const observe::Attempt* attempt = FindAttempt(seen_, kImport, digest)) {
      if (attempt->failed()) {
        AddProblem(plan_, {.aspect = Aspect::kTopology,
                           .reason = "DefinitionsRefused",
                           .message = Shortened(attempt->trouble, 400) + "; it is tried again",
                           .needs_person = true});
        if (now_ < TriedAgainAt(*attempt)) return;
      } else if (Recorded(seen_) != RecordOf(view_)) {
        return;  // it was done, and is about to be recorded
      } else {
        AddProblem(plan_, {.aspect = Aspect::kTopology,
                           .reason = "DefinitionsNotTaken",
                           .message = view_.source +
                                      ": was imported, and the broker does not have as it says: " +
                                      ListOf(keys),
                           .needs_person = true});
        if (now_ < attempt->at + kTakenAgainAfter) return;
      }
    }
    std::vector<std::string> vhosts;
    for (const rabbitmq::DefinitionKey& key : keys) {
      if (key.list == "vhosts") vhosts.push_back(key.names.front());
    }
    plan_.steps.push_back(
        {.action = ImportDefinitions{.source = view_.source,
                                     .entries = keys.size(),
                                     .body = rabbitmq::ComposeDefinitions(view_.wanted, keys),
                                     .vhosts = std::move(vhosts)},
         .reason = std::move(reason),
         .after = LastVhostMade(),
         .repairs_drift = drift,
         .attempt = kImport,
         .attempt_digest = digest});
  }

  [[nodiscard]] std::optional<std::size_t> LastVhostMade() const {
    for (std::size_t i = plan_.steps.size(); i-- > 0;) {
      if (std::holds_alternative<PutVhost>(plan_.steps[i].action)) return i;
    }
    return std::nullopt;
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
    if (seen.attempts.contains(kImport)) plan.settled_attempts.emplace_back(kImport);
    return;
  }
  if (seen.definitions == nullptr) return;
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  DefinitionsPlanner(cluster, seen, now, plan).Run();
}

std::string DefinitionsForInventory(const api::RabbitCluster& cluster,
                                    const observe::Observation& seen) {
  if (!cluster.spec.definitions) return {};  // declared again, they are imported again
  if (seen.definitions == nullptr || !seen.definitions->trouble.empty()) return Recorded(seen);
  const observe::DefinitionsView& view = *seen.definitions;
  const observe::Attempt* all = FindAttempt(seen, kImport, DigestOf(view, AllKeys(view.wanted)));
  return all != nullptr && !all->failed() ? RecordOf(view) : Recorded(seen);
}

bool MayBeDefined(const api::RabbitCluster& cluster, const observe::Observation& seen,
                  const rabbitmq::DefinitionKey& key) {
  if (!cluster.spec.definitions) return false;
  if (seen.definitions == nullptr || !seen.definitions->trouble.empty()) return true;
  return seen.definitions->wanted.contains(key);
}

}  // namespace rabbit::plan
