#include "operator/observe/secrets.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "operator/observe/stranger.h"
#include "operator/resources/names.h"
#include "operator/resources/secrets.h"

namespace rabbit::observe {
namespace {

// Of our own Secrets nothing else is used: neither the cookie nor what clients are told is kept in
// memory for every cluster. The port is, where it is another than usual.
bool IsLogin(const std::string& key, const base::Secret& value) {
  if (key == resources::kPortKey) return value.Reveal() != resources::kPlainPort;
  return key == resources::kUsernameKey || key == resources::kPasswordKey;
}

struct Need {
  base::Duration age;                       // how old the view may be
  bool login = false;                       // one of our own: whom it logs in
  bool referenced = false;                  // named by the spec or a pod, whoever's it is
  std::vector<std::string> keys = {};       // without which it does not serve
  std::vector<std::string> open_keys = {};  // those of them that are no secret
};

bool IsIn(const std::vector<std::string>& keys, const std::string& key) {
  return std::ranges::find(keys, key) != keys.end();
}

void KeepNeeded(SecretView& view, const Need& need) {
  std::erase_if(view.data, [&](const auto& entry) {
    return !IsIn(need.keys, entry.first) && !(need.login && IsLogin(entry.first, entry.second));
  });
}

// Brokers that run show the certificate still, and are known by it: it and its authorities stay.
SecretView GoneView(const SecretView& before, const Need& need) {
  SecretView gone{.state = SecretState::kAbsent, .uid = {}, .data = {}, .trouble = {}};
  for (const auto& [key, value] : before.data) {
    if (IsIn(need.open_keys, key)) gone.data.emplace(key, value);
  }
  return gone;
}

bool Has(const SecretView& view, const std::vector<std::string>& keys) {
  return std::ranges::all_of(keys, [&](const std::string& key) {
    const auto value = view.data.find(key);
    return value != view.data.end() && !value->second.empty();
  });
}

}  // namespace

base::Result<SecretView> ParseSecret(std::string_view json) {
  const auto object = base::ParseJson(json);
  if (!object) return base::FailWrapped(object.error(), "Secret");
  SecretView view;
  view.uid = base::FindString(*object, {"metadata", "uid"});
  view.state = base::FindString(*object, {"metadata", "labels", resources::kManagedByLabel}) ==
                           resources::kFieldManager &&
                       !ForeignController(*object)
                   ? SecretState::kPresent
                   : SecretState::kForeign;
  if (const base::Json* owners = base::Find(*object, {"metadata", "ownerReferences"});
      owners != nullptr && owners->is_array()) {
    for (const base::Json& owner : *owners) {
      if (base::FindBool(owner, {"controller"})) view.owner_uid = base::FindString(owner, {"uid"});
    }
  }
  if (const base::Json* data = base::Find(*object, {"data"});
      data != nullptr && data->is_object()) {
    for (const auto& [key, value] : data->items()) {
      if (!value.is_string()) continue;
      auto decoded = base::Base64Decode(value.get_ref<const std::string&>());
      if (decoded) view.data.emplace(key, base::Secret(std::move(*decoded)));
    }
  }
  return view;
}

void SecretMemory::Refresh(const api::RabbitCluster& cluster,
                           const std::vector<std::string>& once_declared, bool new_here,
                           kube::Client& client, base::TimePoint now,
                           const http::CallOptions& options,
                           const std::vector<resources::PodTls>& tls_of) {
  const std::string& name = cluster.meta.key.name;
  std::map<std::string, Need> needed;
  if (!new_here || !views_.empty()) {
    for (const std::string& own :
         {resources::CookieSecretName(name), resources::OperatorUserSecretName(name),
          resources::DefaultUserSecretName(name)}) {
      needed[own] = {kOwnAge, /*login=*/true};
    }
  }
  for (const api::User& user : cluster.spec.users) {
    if (user.password_secret_ref) {
      Need& need = needed[user.password_secret_ref->name];
      need.age = cluster.spec.drift_interval;
      need.referenced = true;
      need.keys.push_back(user.password_secret_ref->key);
    } else if (!new_here || !views_.empty()) {
      const auto [own, is_new] = needed.try_emplace(resources::UserSecretName(name, user.name),
                                                    Need{kOwnAge, /*login=*/true});
      own->second.keys.emplace_back(resources::kPasswordKey);
    }
  }
  for (const resources::PodTls& tls : tls_of) {
    Need& pair = needed[tls.secret];
    pair.age = cluster.spec.drift_interval;
    pair.referenced = true;
    pair.keys.insert(pair.keys.end(),
                     {resources::kTlsCertificateKey, resources::kTlsPrivateKeyKey});
    pair.open_keys.emplace_back(resources::kTlsCertificateKey);
    Need& ca = needed[tls.ca.name];
    ca.age = cluster.spec.drift_interval;
    ca.referenced = true;
    ca.keys.push_back(tls.ca.key);
    ca.open_keys.push_back(tls.ca.key);
  }
  const auto is_declared = [&](const std::string& user) {
    return std::ranges::find(cluster.spec.users, user, &api::User::name) !=
           cluster.spec.users.end();
  };
  for (const std::string& user : once_declared) {
    if (is_declared(user)) continue;
    needed.try_emplace(resources::UserSecretName(name, user), Need{kOwnAge, /*login=*/true});
  }
  const auto is_needless = [&](const auto& entry) { return !needed.contains(entry.first); };
  std::erase_if(views_, is_needless);
  std::erase_if(read_at_, is_needless);  // what is needed again is read again
  for (const auto& [secret, need] : needed) {
    const auto read_at = read_at_.find(secret);
    if (read_at != read_at_.end() && now - read_at->second < need.age) continue;
    auto text = client.Get(kube::kSecrets, {cluster.meta.key.ns, secret}, options);
    if (!text && text.error().kind == base::ErrorKind::kNotFound) {
      // Looked for again each time: the plan creates it, or waits for its owner to.
      views_[secret] = GoneView(views_[secret], need);
      read_at_.erase(secret);
      continue;
    }
    base::Result<SecretView> view =
        text ? ParseSecret(*text) : base::Result<SecretView>(tl::unexpected(text.error()));
    if (view) {
      KeepNeeded(*view, need);
      // Somebody is asked to mend it, and nobody tells when that is done.
      const bool serves =
          Has(*view, need.keys) && (need.referenced || view->state == SecretState::kPresent);
      views_[secret] = std::move(*view);
      read_at_[secret] = now;
      // One that an earlier cluster of this name takes along is about to go.
      const std::string& owner = views_[secret].owner_uid;
      if (!serves || (!owner.empty() && owner != cluster.meta.uid)) read_at_.erase(secret);
    } else {
      views_[secret].trouble = view.error().message;  // kUnknown unless it was read before
      read_at_.erase(secret);
    }
  }
}

void SecretMemory::Learn(const std::string& name, SecretView view, base::TimePoint now) {
  // What was just made nobody refers to yet. One that was changed may be referred to, by what is
  // held of it.
  SecretView& held = views_[name];
  std::erase_if(view.data, [&](const auto& entry) {
    return !IsLogin(entry.first, entry.second) && !held.data.contains(entry.first);
  });
  held = std::move(view);
  read_at_[name] = now;
}

}  // namespace rabbit::observe
