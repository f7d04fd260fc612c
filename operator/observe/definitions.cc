#include "operator/observe/definitions.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "operator/resources/names.h"

namespace rabbit::observe {
namespace {

using base::ErrorKind;

const base::Secret* Value(const std::map<std::string, SecretView>& secrets, const std::string& name,
                          const char* key) {
  const auto secret = secrets.find(name);
  if (secret == secrets.end()) return nullptr;
  const auto value = secret->second.data.find(key);
  return value == secret->second.data.end() ? nullptr : &value->second;
}

std::string Named(const api::Definitions& declared) {
  return declared.config_map_ref ? "ConfigMap " + declared.config_map_ref->name
                                 : "Secret " + declared.secret_ref->name;
}

}  // namespace

rabbitmq::Definitions WithoutDeclared(rabbitmq::Definitions definitions,
                                      const api::RabbitCluster& cluster,
                                      std::string_view default_user) {
  const api::Spec& spec = cluster.spec;
  std::set<std::string, std::less<>> users{std::string(resources::kOperatorUser),
                                           std::string(default_user)};
  for (const api::User& user : spec.users) users.insert(user.name);
  std::set<std::string, std::less<>> vhosts;
  for (const api::Vhost& vhost : spec.vhosts) vhosts.insert(vhost.name);
  const auto is_of = [&](const api::Policy& policy, const std::string& vhost,
                         const std::string& name) {
    return policy.vhost == vhost && policy.name == name;
  };
  const auto has_policy = [&](const std::vector<api::Policy>& policies, std::string_view list,
                              const std::string& vhost, const std::string& name) {
    return cluster.findings.Broken(list, vhost, name) ||
           std::ranges::any_of(policies,
                               [&](const auto& policy) { return is_of(policy, vhost, name); });
  };
  std::erase_if(definitions, [&](const auto& entry) {
    const std::string& list = entry.first.list;
    const std::vector<std::string>& names = entry.first.names;
    if (list == "users" || list == "permissions" || list == "topic_permissions") {
      return users.contains(names[0]) || cluster.findings.Broken("users", "", names[0]);
    }
    if (list == "vhosts") {
      return vhosts.contains(names[0]) || cluster.findings.Broken("vhosts", "", names[0]);
    }
    if (list == "policies") return has_policy(spec.policies, "policies", names[0], names[1]);
    if (list == "parameters" && names[0] == "operator_policy") {
      return has_policy(spec.operator_policies, "operatorPolicies", names[1], names[2]);
    }
    if (list == "parameters" && names[0] == "vhost-limits") return vhosts.contains(names[1]);
    if (list == "global_parameters") {
      return names[0] == "cluster_name" || names[0] == "internal_cluster_id";
    }
    return false;
  });
  return definitions;
}

base::Result<base::Secret> ContentOf(std::string_view json, bool is_secret, std::string_view key) {
  const auto object = base::ParseJson(json);
  if (!object) return base::Fail(ErrorKind::kInternal, "its answer is not JSON");
  const std::string name(key);
  if (!is_secret) {
    if (const base::Json* text = base::Find(*object, {"data", name});
        text != nullptr && text->is_string()) {
      return base::Secret(text->get<std::string>());
    }
  }
  const base::Json* encoded = base::Find(*object, {is_secret ? "data" : "binaryData", name});
  if (encoded == nullptr || !encoded->is_string()) {
    return base::Fail(ErrorKind::kNotFound, "has no key " + name);
  }
  auto decoded = base::Base64Decode(encoded->get_ref<const std::string&>());
  if (!decoded) return base::Fail(ErrorKind::kInternal, "key " + name + " is not base64");
  return base::Secret(std::move(*decoded));
}

void DefinitionsMemory::Refresh(const api::RabbitCluster& cluster,
                                const std::map<std::string, SecretView>& secrets, bool imported,
                                kube::Client& client, base::TimePoint now,
                                const http::CallOptions& options) {
  const auto& declared = cluster.spec.definitions;
  if (!declared || declared->config_map_ref.has_value() == declared->secret_ref.has_value()) {
    state_.reset();
    return;
  }
  const bool is_secret = !declared->config_map_ref;
  const api::KeyRef& ref = is_secret ? *declared->secret_ref : *declared->config_map_ref;
  const std::string source = Named(*declared) + ", key " + ref.key;
  if (!state_ || state_->source != source) {
    state_ = std::make_unique<State>();
    state_->source = source;
    auto unread = std::make_shared<DefinitionsView>();
    unread->source = source;
    unread->trouble = "was not read yet";
    state_->view = std::move(unread);
  }
  const base::Secret* default_user = Value(
      secrets, resources::DefaultUserSecretName(cluster.meta.key.name), resources::kUsernameKey);
  if (default_user == nullptr) return;  // it must not be mistaken for a user of theirs
  const std::string inputs = cluster.meta.uid + " " + std::to_string(cluster.meta.generation) +
                             " " + std::string(default_user->Reveal()) + " ";
  const base::Duration age = imported && declared->mode == api::DefinitionsMode::kOnce
                                 ? base::Duration(kImportedAge)
                                 : base::Duration(cluster.spec.drift_interval);
  if (state_->inputs.starts_with(inputs) && now - state_->read_at < age) return;

  const bool usable = state_->view->trouble.empty();
  const auto take = [&](DefinitionsView view) {
    view.source = source;
    if (view != *state_->view) state_->view = std::make_shared<DefinitionsView>(std::move(view));
  };
  // Found so, and not looked at again before its time.
  const auto fail = [&](const std::string& why, bool gone = false) {
    state_->read_at = now;
    state_->inputs = inputs;
    DefinitionsView view;
    view.trouble = why;
    view.needs_person = true;
    view.gone = gone;
    take(std::move(view));
  };
  const auto text = client.Get(is_secret ? kube::kSecrets : kube::kConfigMaps,
                               {cluster.meta.key.ns, ref.name}, options);
  if (!text && text.error().kind == ErrorKind::kNotFound) return fail("does not exist", true);
  if (!text) {
    if (usable) return;
    DefinitionsView view;
    view.trouble = text.error().message;
    view.needs_person = text.error().kind == ErrorKind::kDenied;
    return take(std::move(view));
  }
  const auto content = ContentOf(*text, is_secret, ref.key);
  if (!content) {
    return fail(content.error().message, content.error().kind == ErrorKind::kNotFound);
  }
  const std::string all = inputs + base::ShortHash(content->Reveal());
  state_->read_at = now;
  if (state_->inputs == all) return;
  auto parsed = rabbitmq::ParseDefinitions(content->Reveal());
  if (parsed) {
    DefinitionsView view;
    view.content_digest = rabbitmq::DigestOf(*parsed);
    view.wanted = WithoutDeclared(std::move(*parsed), cluster, default_user->Reveal());
    take(std::move(view));
  } else {
    fail(parsed.error().message);
  }
  state_->inputs = all;
}

}  // namespace rabbit::observe
