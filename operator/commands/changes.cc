#include "operator/commands/changes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "operator/plan/plugins.h"
#include "operator/resources/names.h"
#include "rabbitmq/client.h"

namespace rabbit::commands {
namespace {

using base::Json;

// ---- what apply takes out: fields that were ours, and are wanted no more

// The fields of one entry of managedFields, in the API server's notation: "f:NAME" is a field,
// `k:{"name":"amqp"}` the element of a list with those keys.
void TakeOut(const Json& fields, const Json* desired, Json& live);

void TakeOutElement(const std::string& keys, const Json& below, const Json* desired, Json& list) {
  const auto wanted = base::ParseJson(keys);
  if (!wanted || !wanted->is_object() || !list.is_array()) return;
  const auto is_it = [&](const Json& element) {
    return element.is_object() && std::ranges::all_of(wanted->items(), [&](const auto& key) {
             const auto found = element.find(key.key());
             return found != element.end() && *found == key.value();
           });
  };
  const auto live = std::find_if(list.begin(), list.end(), is_it);
  if (live == list.end()) return;
  const Json* kept = nullptr;
  if (desired != nullptr && desired->is_array()) {
    // The server fills in keys that are left out, as the protocol of a port.
    const auto found = std::find_if(desired->begin(), desired->end(), [&](const Json& element) {
      return element.is_object() && std::ranges::all_of(wanted->items(), [&](const auto& key) {
               const auto value = element.find(key.key());
               return value == element.end() || *value == key.value();
             });
    });
    if (found != desired->end()) kept = &*found;
  }
  if (kept == nullptr) {
    list.erase(live);
  } else {
    TakeOut(below, kept, *live);
  }
}

void TakeOut(const Json& fields, const Json* desired, Json& live) {
  if (!fields.is_object()) return;
  for (const auto& [field, below] : fields.items()) {
    if (field.starts_with("k:")) {
      TakeOutElement(field.substr(2), below, desired, live);
      continue;
    }
    if (!field.starts_with("f:") || !live.is_object()) continue;
    const std::string name = field.substr(2);
    const auto found = live.find(name);
    if (found == live.end()) continue;
    const Json* kept = desired == nullptr ? nullptr : base::Find(*desired, {name});
    if (below.empty()) {
      if (kept == nullptr) live.erase(found);
    } else {
      TakeOut(below, kept, *found);
    }
  }
}

// What POST made owns what the server filled in, too, and that comes back: of such an entry only
// what is never filled in counts.
Json WithoutDefaults(const Json& fields) {
  Json kept = Json::object();
  for (const char* field : {"f:data", "f:metadata"}) {
    if (fields.contains(field)) kept[field] = fields.at(field);
  }
  return kept;
}

void TakeOutWhatWasOurs(const Json& desired, Json& live) {
  const Json* entries = base::Find(live, {"metadata", "managedFields"});
  if (entries == nullptr || !entries->is_array()) return;
  const Json copy = *entries;
  for (const Json& entry : copy) {
    if (base::FindString(entry, {"manager"}) != resources::kFieldManager ||
        entry.contains("subresource") || !entry.contains("fieldsV1")) {
      continue;
    }
    const Json& fields = entry.at("fieldsV1");
    const bool applied = base::FindString(entry, {"operation"}) == "Apply";
    TakeOut(applied ? fields : WithoutDefaults(fields), &desired, live);
  }
}

// What only the server writes, and the operator's own notes.
void Clean(Json& object) {
  object.erase("status");
  if (!object.contains("metadata")) return;
  Json& metadata = object["metadata"];
  for (const char* field : {"managedFields", "resourceVersion", "generation", "uid",
                            "creationTimestamp", "selfLink", "ownerReferences"}) {
    metadata.erase(field);
  }
  if (metadata.contains("annotations")) {
    metadata["annotations"].erase(std::string(resources::kAppliedHashAnnotation));
    metadata["annotations"].erase("kubectl.kubernetes.io/last-applied-configuration");
  }
}

// ---- at the broker: what there is, as JSON; null when it is not there

Json TagsJson(std::vector<std::string> tags) {
  std::ranges::sort(tags);
  return tags;
}

Json DefinitionJson(const std::string& text) {
  auto parsed = base::ParseJson(text);
  return parsed ? std::move(*parsed) : Json(text);
}

template <typename Policy>
Json PolicyJson(const Policy& policy) {
  return {{"pattern", policy.pattern},
          {"applyTo", policy.apply_to},
          {"priority", policy.priority},
          {"definition", DefinitionJson(policy.definition)}};
}

template <typename Permission>
Json PermissionJson(const Permission& permission) {
  return {
      {"configure", permission.configure}, {"write", permission.write}, {"read", permission.read}};
}

template <typename Topic>
Json TopicJson(const Topic& topic) {
  return {{"write", topic.write}, {"read", topic.read}};
}

// A vhost without a description or default queue type has none, in whichever words. In permissions
// and definitions of policies an empty text is a value: `dead-letter-exchange: ""`.
template <typename Vhost>
Json VhostJson(const Vhost& vhost) {
  Json json = {{"tags", TagsJson(vhost.tags)}};
  if (!vhost.description.empty()) json["description"] = vhost.description;
  if (!vhost.default_queue_type.empty()) json["defaultQueueType"] = vhost.default_queue_type;
  return json;
}

// As a RabbitCluster calls the limit.
std::string LimitField(std::string_view limit) {
  std::string field;
  for (std::size_t i = 0; i < limit.size(); ++i) {
    if (limit[i] == '-' && i + 1 < limit.size()) {
      field += static_cast<char>(std::toupper(static_cast<unsigned char>(limit[++i])));
    } else {
      field += limit[i];
    }
  }
  return field;
}

Json LimitJson(std::string_view limit, const std::optional<std::int64_t>& value) {
  return value ? Json{{LimitField(limit), *value}} : Json();
}

class Differ {
 public:
  Differ(const api::RabbitCluster& cluster, const observe::Observation& seen)
      : cluster_(cluster), seen_(seen), view_(seen.broker.view.get()) {}

  StepChanges operator()(const plan::CreateObject&) const { return {Kind::kCreate, {}}; }
  StepChanges operator()(const plan::CreateSecretOnce&) const { return {Kind::kCreate, {}}; }
  StepChanges operator()(const plan::ChangeSecret&) const { return {Kind::kChange, {}}; }
  StepChanges operator()(const plan::DeleteObject&) const { return {Kind::kDelete, {}}; }
  StepChanges operator()(const plan::ExecInPod&) const { return {Kind::kRun, {}}; }
  StepChanges operator()(const plan::ResetOwnUser&) const { return {Kind::kRun, {}}; }
  StepChanges operator()(const plan::ImportDefinitions&) const { return {Kind::kChange, {}}; }
  StepChanges operator()(const plan::EnableFlag&) const {
    return Put({{"state", "disabled"}}, {{"state", "enabled"}}, Kind::kChange);
  }
  StepChanges operator()(const plan::SetPlugins& step) const {
    return Put({{"plugins", PluginsOf(step.pod)}}, {{"plugins", step.plugins}}, Kind::kChange);
  }

  StepChanges operator()(const plan::ApplyObject& step) const {
    StepChanges out{Kind::kChange, {}};
    if (step.type == kube::kSecrets) return out;
    auto desired = base::ParseJson(step.body);
    if (!desired) return out;
    if (step.type == api::kRabbitClusters) {
      const Json* count = base::Find(*desired, {"spec", "replicas"});
      if (count != nullptr) {
        out.changes.push_back({"spec.replicas",
                               cluster_.spec.replicas
                                   ? std::optional(std::to_string(*cluster_.spec.replicas))
                                   : std::nullopt,
                               base::Dump(*count)});
      }
      return out;
    }
    const auto child = seen_.children.find({step.type, step.name});
    if (child == seen_.children.end() || child->second.body == nullptr) return out;
    auto live = base::ParseJson(*child->second.body);
    if (!live) return out;
    Json outcome = *live;
    TakeOutWhatWasOurs(*desired, outcome);
    Clean(*desired);
    Clean(*live);
    Clean(outcome);
    out.changes = base::Differences(*live, base::PutInto(*desired, std::move(outcome)));
    return out;
  }

  StepChanges operator()(const plan::PutClusterName& step) const {
    Json before;
    if (view_ != nullptr && view_->cluster_name) before = {{"name", *view_->cluster_name}};
    return Put(before, {{"name", step.name}}, Kind::kChange);
  }

  StepChanges operator()(const plan::PutVhost& step) const {
    const rabbitmq::Vhost* vhost = FindVhost(step.name);
    return Put(vhost == nullptr ? Json() : VhostJson(*vhost), VhostJson(step));
  }
  StepChanges operator()(const plan::DeleteVhost& step) const {
    const rabbitmq::Vhost* vhost = FindVhost(step.name);
    return Removed(vhost == nullptr ? Json() : VhostJson(*vhost));
  }
  StepChanges operator()(const plan::PutVhostLimit& step) const {
    return Put(LimitJson(step.limit, VhostLimit(step.vhost, step.limit)),
               LimitJson(step.limit, step.value), Kind::kChange);
  }
  StepChanges operator()(const plan::DeleteVhostLimit& step) const {
    return Removed(LimitJson(step.limit, VhostLimit(step.vhost, step.limit)));
  }

  StepChanges operator()(const plan::PutUser& step) const {
    const rabbitmq::User* user = FindUser(step.name);
    Json before, after = {{"tags", TagsJson(step.tags)}};
    if (user != nullptr) before = {{"tags", TagsJson(user->tags)}};
    StepChanges out = Put(before, after, user == nullptr ? Kind::kCreate : Kind::kChange);
    if (step.password) {
      out.changes.push_back(
          {"password",
           user == nullptr ? std::nullopt : std::optional<std::string>("\"(another one)\""),
           "\"(as in its Secret)\""});
    }
    return out;
  }
  StepChanges operator()(const plan::DeleteUser& step) const {
    const rabbitmq::User* user = FindUser(step.name);
    return Removed(user == nullptr ? Json() : Json{{"tags", TagsJson(user->tags)}});
  }
  StepChanges operator()(const plan::PutUserLimit& step) const {
    return Put(LimitJson(step.limit, UserLimit(step.user, step.limit)),
               LimitJson(step.limit, step.value), Kind::kChange);
  }
  StepChanges operator()(const plan::DeleteUserLimit& step) const {
    return Removed(LimitJson(step.limit, UserLimit(step.user, step.limit)));
  }

  StepChanges operator()(const plan::PutPermissions& step) const {
    return Put(Permissions(step.user, step.vhost), PermissionJson(step));
  }
  StepChanges operator()(const plan::DeletePermissions& step) const {
    return Removed(Permissions(step.user, step.vhost));
  }
  StepChanges operator()(const plan::PutTopicPermission& step) const {
    return Put(TopicPermission(step), TopicJson(step));
  }
  StepChanges operator()(const plan::DeleteTopicPermission& step) const {
    return Removed(TopicPermission(step));
  }

  StepChanges operator()(const plan::PutPolicy& step) const {
    return Put(Policy(step), PolicyJson(step));
  }
  StepChanges operator()(const plan::DeletePolicy& step) const { return Removed(Policy(step)); }

 private:
  static StepChanges Put(Json before, Json after, std::optional<Kind> kind = {}) {
    const Kind of_it = kind ? *kind : before.is_null() ? Kind::kCreate : Kind::kChange;
    return {of_it, FieldByField(std::move(before), std::move(after))};
  }
  static StepChanges Removed(Json before) {
    return {Kind::kDelete, FieldByField(std::move(before), {})};
  }
  // Also where one side is not there at all, or has no definition.
  static std::vector<base::Difference> FieldByField(Json before, Json after,
                                                    const std::string& prefix = {}) {
    for (Json* side : {&before, &after}) {
      if (!side->is_object()) *side = Json::object();
    }
    Json fields = before;
    fields.update(after);  // the union, sorted
    std::vector<base::Difference> found;
    for (const auto& [field, unused] : fields.items()) {
      const auto value = [&field = field](const Json& of) { return of.value(field, Json()); };
      const bool maps = value(before).is_object() || value(after).is_object();
      auto differences = maps && prefix.empty()
                             ? FieldByField(value(before), value(after), field)
                             : base::Differences({{field, value(before)}}, {{field, value(after)}});
      for (base::Difference& difference : differences) {
        if (!prefix.empty()) {
          const bool quoted = difference.path.starts_with('[');
          difference.path.insert(0, prefix + (quoted ? "" : "."));
        }
        found.push_back(std::move(difference));
      }
    }
    return found;
  }

  [[nodiscard]] Json PluginsOf(const std::string& pod) const {
    const auto ordinal = resources::OrdinalOf(cluster_.meta.key.name, pod);
    if (!ordinal || view_ == nullptr || !view_->nodes) return {};
    const rabbitmq::Node* node = rabbitmq::FindNode(
        *view_->nodes, resources::NodeName(cluster_.meta.key.name, cluster_.meta.key.ns, *ordinal));
    if (node == nullptr || !node->plugins_known) return {};
    return plan::EnabledPlugins(*node);
  }
  [[nodiscard]] const rabbitmq::Vhost* FindVhost(const std::string& name) const {
    return view_ != nullptr && view_->vhosts ? rabbitmq::FindVhost(*view_->vhosts, name) : nullptr;
  }
  [[nodiscard]] const rabbitmq::User* FindUser(const std::string& name) const {
    return view_ != nullptr && view_->users ? rabbitmq::FindUser(*view_->users, name) : nullptr;
  }
  [[nodiscard]] std::optional<std::int64_t> VhostLimit(const std::string& vhost,
                                                       const std::string& limit) const {
    if (view_ == nullptr || !view_->vhost_limits) return std::nullopt;
    for (const rabbitmq::VhostLimits& limits : *view_->vhost_limits) {
      if (limits.vhost != vhost) continue;
      return limit == rabbitmq::kMaxConnections ? limits.max_connections : limits.max_queues;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::int64_t> UserLimit(const std::string& user,
                                                      const std::string& limit) const {
    if (view_ == nullptr || !view_->user_limits) return std::nullopt;
    for (const rabbitmq::UserLimits& limits : *view_->user_limits) {
      if (limits.user != user) continue;
      return limit == rabbitmq::kMaxConnections ? limits.max_connections : limits.max_channels;
    }
    return std::nullopt;
  }
  [[nodiscard]] Json Permissions(const std::string& user, const std::string& vhost) const {
    if (view_ == nullptr || !view_->permissions) return {};
    const auto* found = rabbitmq::FindPermission(*view_->permissions, user, vhost);
    return found == nullptr ? Json() : PermissionJson(*found);
  }
  template <typename Step>
  [[nodiscard]] Json TopicPermission(const Step& step) const {
    if (view_ == nullptr || !view_->topic_permissions) return {};
    for (const rabbitmq::TopicPermission& topic : *view_->topic_permissions) {
      if (topic.user == step.user && topic.vhost == step.vhost && topic.exchange == step.exchange) {
        return TopicJson(topic);
      }
    }
    return {};
  }
  template <typename Step>
  [[nodiscard]] Json Policy(const Step& step) const {
    if (view_ == nullptr) return {};
    const auto& policies =
        step.kind == rabbitmq::PolicyKind::kOperator ? view_->operator_policies : view_->policies;
    if (!policies) return {};
    const auto* found = rabbitmq::FindPolicy(*policies, step.vhost, step.name);
    return found == nullptr ? Json() : PolicyJson(*found);
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const rabbitmq::BrokerView* view_;
};

}  // namespace

StepChanges ChangesOf(const plan::Step& step, const api::RabbitCluster& cluster,
                      const observe::Observation& seen) {
  return std::visit(Differ(cluster, seen), step.action);
}

std::vector<base::Difference> DeclaredDifferences(std::string_view before, std::string_view after) {
  auto one = base::ParseJson(before);
  auto other = base::ParseJson(after);
  if (!one || !other) return {};
  Clean(*one);
  Clean(*other);
  return base::Differences(*one, *other);
}

}  // namespace rabbit::commands
