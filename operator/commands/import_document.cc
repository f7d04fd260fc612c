#include "operator/commands/import_document.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/yaml.h"
#include "operator/api/parse.h"
#include "operator/api/validate.h"
#include "operator/plan/policies.h"
#include "operator/plan/vhosts.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"
#include "operator/resources/secrets.h"
#include "rabbitmq/password_hash.h"
#include "rabbitmq/policy_check.h"
#include "rabbitmq/version.h"

namespace rabbit::commands {
namespace {

using Json = nlohmann::ordered_json;
using base::ErrorKind;
using base::Result;
using rabbitmq::PolicyKind;

constexpr std::size_t kLongestName = 47;
constexpr std::size_t kMostEntries = 1000;  // of each list
constexpr std::string_view kDefaultVhost = "/";
constexpr const char* kLists[] = {"vhosts", "users", "policies", "operatorPolicies"};

// Why the view is not whole, or nothing.
std::optional<base::Error> MissingPart(const rabbitmq::BrokerView& view) {
  std::optional<base::Error> missing;
  const auto check = [&](const auto& part) {
    if (!part && !missing) missing = {.kind = part.kind(), .message = part.why()};
  };
  check(view.cluster_name);
  check(view.version);
  check(view.nodes);
  check(view.vhosts);
  check(view.vhost_limits);
  check(view.users);
  if (view.user_limits || view.user_limits.kind() != ErrorKind::kNotFound) check(view.user_limits);
  check(view.permissions);
  check(view.topic_permissions);
  check(view.policies);
  check(view.operator_policies);
  return missing;
}

std::string Subject(std::string_view kind, std::string_view name) {
  return std::string(kind) + " " + plan::Quoted(name, 255);
}

// "vhost \"a\"", "policy \"b\" in vhost \"a\"", from what was declared of it.
std::string SubjectOf(std::string_view list, const Json& entry) {
  const std::string name = entry["name"];
  if (list == "vhosts") return Subject("vhost", name);
  if (list == "users") return Subject("user", name);
  const std::string kind = list == "policies" ? "policy" : "operator policy";
  return Subject(kind, name) + " in " + Subject("vhost", std::string(entry["vhost"]));
}

// Builds the spec, and notes what does not fit into it.
class Describer {
 public:
  Describer(const rabbitmq::BrokerView& view, std::string cluster)
      : view_(view), cluster_(std::move(cluster)), version_(rabbitmq::ParseVersion(*view.version)) {
    for (const rabbitmq::Node& node : *view.nodes) nodes_.push_back(node.name);
  }

  Json Spec() {
    Json spec;
    if (!nodes_.empty()) spec["replicas"] = nodes_.size();
    spec["clusterName"] = *view_.cluster_name;
    Put(spec, "vhosts", Vhosts());
    Put(spec, "users", Users());
    Put(spec, "policies", Policies(PolicyKind::kUser));
    Put(spec, "operatorPolicies", Policies(PolicyKind::kOperator));
    return spec;
  }

  void LeaveOut(const std::string& subject, const std::string& why) {
    left_out_.push_back(base::OnOneLine(subject + ": " + why));
  }
  [[nodiscard]] const std::optional<rabbitmq::Version>& version() const { return version_; }
  std::vector<std::string> Take() { return std::move(left_out_); }

 private:
  void Put(Json& spec, const char* list, Json entries) {
    while (entries.size() > kMostEntries) {
      LeaveOut(SubjectOf(list, entries.back()), "spec." + std::string(list) + " holds " +
                                                    std::to_string(kMostEntries) +
                                                    " entries, and the broker has more");
      entries.erase(entries.size() - 1);
    }
    if (!entries.empty()) spec[list] = std::move(entries);
  }

  static void PutLimit(Json& entry, const char* name, const std::optional<std::int64_t>& limit) {
    if (limit) entry["limits"][name] = *limit;
  }

  Json Vhosts() {
    Json all = Json::array();
    for (const rabbitmq::Vhost& vhost : *view_.vhosts) {
      Json entry{{"name", vhost.name}};
      if (!vhost.description.empty()) entry["description"] = vhost.description;
      if (!vhost.tags.empty()) entry["tags"] = vhost.tags;
      if (const auto type = plan::QueueTypeOfBroker(vhost.default_queue_type)) {
        entry["defaultQueueType"] = api::Name(*type);
      } else if (!vhost.default_queue_type.empty()) {
        LeaveOut(Subject("vhost", vhost.name) + ": its default queue type",
                 plan::Quoted(vhost.default_queue_type) + " is none that a RabbitCluster knows");
      }
      for (const rabbitmq::VhostLimits& limits : *view_.vhost_limits) {
        if (limits.vhost != vhost.name) continue;
        PutLimit(entry, "maxConnections", limits.max_connections);
        PutLimit(entry, "maxQueues", limits.max_queues);
      }
      // It exists without being named.
      if (vhost.name == kDefaultVhost && entry.size() == 1) continue;
      all.push_back(std::move(entry));
    }
    if (rabbitmq::FindVhost(*view_.vhosts, kDefaultVhost) == nullptr) {
      LeaveOut(Subject("vhost", kDefaultVhost),
               "the broker has none, and every cluster of the operator's has one: it will be made");
    }
    return all;
  }

  // Why a user cannot be declared as it is, or nothing.
  static std::optional<std::string> WhyNot(const rabbitmq::User& user) {
    if (user.name == resources::kOperatorUser) return "is the name of the operator's own user";
    if (user.name == resources::kDefaultUser) {
      return "is the name of the clients' user that the operator makes, with a password of its own "
             "in Secret C-default-user: clients that use it need another user first";
    }
    if (user.password_hash.empty()) {
      return "has no password (logs in by other means), and the operator gives every user one";
    }
    if (user.hashing_algorithm != rabbitmq::kSha256 &&
        user.hashing_algorithm != rabbitmq::kSha512) {
      return "its password is hashed by " + plan::Quoted(user.hashing_algorithm) +
             ", which the operator cannot compare: set it at the broker again";
    }
    return std::nullopt;
  }

  Json Users() {
    Json all = Json::array();
    for (const rabbitmq::User& user : *view_.users) {
      if (const auto why = WhyNot(user)) {
        LeaveOut(Subject("user", user.name), *why);
        continue;
      }
      Json entry{
          {"name", user.name},
          {"passwordSecretRef",
           {{"name", ImportedSecretName(cluster_, user.name)}, {"key", resources::kPasswordKey}}}};
      if (!user.tags.empty()) entry["tags"] = user.tags;
      for (const rabbitmq::Permission& one : *view_.permissions) {
        if (one.user != user.name) continue;
        entry["permissions"].push_back({{"vhost", one.vhost},
                                        {"configure", one.configure},
                                        {"write", one.write},
                                        {"read", one.read}});
      }
      PutTopicPermissions(user.name, entry);
      if (view_.user_limits) {
        for (const rabbitmq::UserLimits& limits : *view_.user_limits) {
          if (limits.user != user.name) continue;
          PutLimit(entry, "maxConnections", limits.max_connections);
          PutLimit(entry, "maxChannels", limits.max_channels);
        }
      }
      all.push_back(std::move(entry));
    }
    return all;
  }

  void PutTopicPermissions(const std::string& user, Json& entry) {
    Json all = Json::array();
    bool unnamed = false;
    for (const rabbitmq::TopicPermission& one : *view_.topic_permissions) {
      if (one.user != user) continue;
      if (one.exchange == api::kUnnamedExchangeInPaths) {
        LeaveOut(Subject("user", user) + ": topic permission on exchange " + one.exchange + " in " +
                     Subject("vhost", one.vhost),
                 "stands for the exchange without a name, which knows no topics");
        continue;
      }
      unnamed = unnamed || one.exchange.empty();
      all.push_back({{"vhost", one.vhost},
                     {"exchange", one.exchange},
                     {"write", one.write},
                     {"read", one.read}});
    }
    if (unnamed) {
      LeaveOut(Subject("user", user) + ": all topic permissions",
               "one is on the exchange without a name, which a RabbitCluster cannot name, and "
               "would be removed if the others were declared");
    } else if (!all.empty()) {
      entry["topicPermissions"] = std::move(all);
    }
  }

  Json Policies(PolicyKind kind) {
    Json all = Json::array();
    for (const rabbitmq::Policy& policy : *plan::PoliciesAtBroker(view_, kind)) {
      const std::string subject =
          Subject(kind == PolicyKind::kUser ? "policy" : "operator policy", policy.name) + " in " +
          Subject("vhost", policy.vhost);
      if (policy.name.starts_with(resources::kTemporaryPolicyPrefix)) {
        LeaveOut(subject, "is a temporary one of an operator");
        continue;
      }
      const auto issues =
          rabbitmq::CheckPolicy(policy, kind, {.version = version_, .nodes = nodes_});
      if (const auto* refusal = rabbitmq::FirstRefusal(issues)) {
        LeaveOut(subject, refusal->message);
        continue;
      }
      Json definition = Json::parse(policy.definition, nullptr, false);
      const auto read = base::ParseYaml(base::WriteYaml(definition));
      if (!read || read->size() != 1 || base::Dump(read->front()) != policy.definition) {
        LeaveOut(subject, "its definition holds a value that Kubernetes would change: " +
                              plan::Quoted(policy.definition, 200));
        continue;
      }
      all.push_back({{"vhost", policy.vhost},
                     {"name", policy.name},
                     {"pattern", policy.pattern},
                     {"applyTo", policy.apply_to},
                     {"priority", policy.priority},
                     {"definition", std::move(definition)}});
    }
    return all;
  }

  const rabbitmq::BrokerView& view_;
  const std::string cluster_;
  const std::optional<rabbitmq::Version> version_;
  std::vector<std::string> nodes_;
  std::vector<std::string> left_out_;
};

// "tags[0]: \"a b\": must be …" of "spec.users[3].tags[0]: …": the index is nobody's name.
std::string WithinEntry(const api::EntryError& entry) {
  const std::string text = entry.error.ToString();
  const std::string prefix = "spec." + entry.list + "[" + std::to_string(entry.index) + "].";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

// Takes out of the spec what the API refuses. Its own parser says what that is.
Result<void> TakeOutRefused(Json& document, Describer& describer) {
  Json& spec = document["spec"];
  // Each round takes a field or entry out; then the next error of that field may show.
  for (int round = 0; round < 8; ++round) {
    const auto parsed = api::ParseRabbitCluster(document.dump());
    if (!parsed) return tl::unexpected(parsed.error());
    const api::Findings& findings = parsed->findings;
    if (findings.structural.empty() && findings.entries.empty()) return {};
    for (const char* list : kLists) {
      std::set<std::size_t, std::greater<>> out;  // from the last on: an index holds until then
      for (const api::EntryError& entry : findings.entries) {
        if (entry.list != list || !out.insert(entry.index).second) continue;
        describer.LeaveOut(SubjectOf(list, spec[list][entry.index]), WithinEntry(entry));
      }
      for (const std::size_t index : out) spec[list].erase(index);
      if (spec.contains(list) && spec[list].empty()) spec.erase(list);
    }
    for (const api::FieldError& error : findings.structural) {
      constexpr std::string_view kSpec = "spec.";
      std::string field = error.path.substr(std::min(kSpec.size(), error.path.size()));
      field = field.substr(0, field.find_first_of(".["));
      if (!error.path.starts_with(kSpec) || spec.erase(field) == 0) {
        return base::Fail(ErrorKind::kInternal, error.ToString());
      }
      describer.LeaveOut(error.path, error.ToString());
    }
  }
  return base::Fail(ErrorKind::kInternal, "the API refuses what was read, again and again");
}

void Comment(std::string& out, const std::string& text) {
  out += text.empty() ? "#\n" : "# " + base::OnOneLine(text) + "\n";
}

std::string Head(const rabbitmq::BrokerView& view, const ImportNames& names, const Json& spec,
                 const std::vector<std::string>& left_out) {
  std::string out;
  Comment(out, "What the broker at " + names.from + " holds: RabbitMQ " + *view.version + ", " +
                   plan::Counted(view.nodes->size(), "node") + ".");
  const auto ram = std::ranges::count(*view.nodes, rabbitmq::NodeType::kRam, &rabbitmq::Node::type);
  if (ram > 0) {
    Comment(out, plan::Counted(static_cast<std::size_t>(ram), "node") +
                     " of them in memory (see "
                     "spec.ramNodes).");
  }
  Comment(out,
          "Not in here: queues, exchanges, bindings and messages; plugins, their parameters, "
          "and the configuration.");
  Comment(
      out,
      "Apply it with kubectl apply --server-side: without, a copy of it must fit an annotation.");
  if (spec.contains("users")) {
    Comment(out, "");
    Comment(out,
            "A broker does not tell passwords. Before this is applied, put each user's present "
            "one into the Secret");
    Comment(out,
            "that the user's passwordSecretRef names, from a file without a newline at its end:");
    Comment(out, "  kubectl create secret generic NAME --from-file=password=FILE");
    Comment(out,
            "Without the Secret a user who exists keeps its password, and the cluster is not "
            "Ready; without passwordSecretRef");
    Comment(out, "the operator makes a password and sets it.");
  }
  if (!left_out.empty()) {
    Comment(out, "");
    Comment(out, "Left out, because a RabbitCluster cannot say it as it is:");
    for (const std::string& line : left_out) Comment(out, "- " + line);
  }
  return out;
}

}  // namespace

std::string NameOfCluster(std::string_view broker_name) {
  std::string name;
  for (char c : broker_name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool letter = c >= 'a' && c <= 'z';
    const bool digit = c >= '0' && c <= '9';
    if (letter || (digit && !name.empty())) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
    if (name.size() == kLongestName) break;
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "rabbitcluster" : name;
}

std::string ImportedSecretName(std::string_view cluster, std::string_view user) {
  // Not the one that the operator would make itself, and take for its own.
  return resources::UserSecretName(std::string(cluster) + "-import", user);
}

Result<ImportDocument> DescribeBroker(const rabbitmq::BrokerView& view, const ImportNames& names) {
  if (auto missing = MissingPart(view)) return tl::unexpected(std::move(*missing));
  const std::string name = names.name.empty() ? NameOfCluster(*view.cluster_name) : names.name;
  Describer describer(view, name);
  Json document{{"apiVersion", "rabbitcluster.dev/v1beta1"}, {"kind", "RabbitCluster"}};
  document["metadata"]["name"] = name;
  if (!names.ns.empty()) document["metadata"]["namespace"] = names.ns;
  document["spec"] = describer.Spec();
  if (auto fits = TakeOutRefused(document, describer); !fits) return tl::unexpected(fits.error());

  ImportDocument made{.yaml = {}, .left_out = describer.Take()};
  const Json spec = std::move(document["spec"]);
  document.erase("spec");
  made.yaml = Head(view, names, spec, made.left_out) + base::WriteYaml(document);
  if (spec.empty()) {
    made.yaml += "spec: {}\n";
    return made;
  }
  made.yaml += "spec:\n";
  if (const auto& version = describer.version()) {
    made.yaml += "  # Or an image of your own with RabbitMQ " + version->ToString() + ":\n";
    made.yaml += "  # image: rabbitmq:" + std::to_string(version->major) + "." +
                 std::to_string(version->minor) + "-management\n";
  }
  made.yaml += base::WriteYaml(spec, 2);
  return made;
}

}  // namespace rabbit::commands
