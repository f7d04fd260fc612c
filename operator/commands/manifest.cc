#include "operator/commands/manifest.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/yaml.h"
#include "operator/api/types.h"
#include "operator/observe/secrets.h"

namespace rabbit::commands {
namespace {

using base::ErrorKind;
using base::Json;

// What a Secret says once the server has taken it.
base::Result<observe::SecretView> SecretOf(const Json& object) {
  Json secret = object;
  if (const Json* plain = base::Find(object, {"stringData"});
      plain != nullptr && plain->is_object()) {
    if (!secret["data"].is_object()) secret["data"] = Json::object();
    for (const auto& [key, value] : plain->items()) {
      if (value.is_string()) {
        secret["data"][key] = base::Base64Encode(value.get_ref<const std::string&>());
      }
    }
  }
  return observe::ParseSecret(base::Dump(secret));
}

std::string DeclaredPart(const Json& object, const kube::ObjectKey& key) {
  Json declared = {{"apiVersion", object.at("apiVersion")},
                   {"kind", object.at("kind")},
                   {"metadata", {{"name", key.name}, {"namespace", key.ns}}}};
  for (const char* field : {"labels", "annotations"}) {
    if (const Json* value = base::Find(object, {"metadata", field})) {
      declared["metadata"][field] = *value;
    }
  }
  // What kubectl noted of an earlier apply is no part of what is declared.
  if (Json& annotations = declared["metadata"]["annotations"]; annotations.is_object()) {
    annotations.erase("kubectl.kubernetes.io/last-applied-configuration");
  } else if (annotations.is_null()) {
    declared["metadata"].erase("annotations");
  }
  for (const auto& [field, value] : object.items()) {
    const bool is_servers = field == "status" || field == "metadata";
    if (!is_servers && !declared.contains(field)) declared[field] = value;
  }
  return base::Dump(declared);
}

class Reader {
 public:
  Reader(const std::string& otherwise, const std::string& required)
      : otherwise_(otherwise), required_(required) {}

  base::Result<void> Add(const Json& object) {
    if (!object.is_object()) return Invalid("holds something that is no object");
    const std::string kind = base::FindString(object, {"kind"});
    const Json* items = base::Find(object, {"items"});
    if (kind.ends_with("List") && items != nullptr && items->is_array()) {
      for (const Json& item : *items) {
        if (auto added = Add(item); !added) return added;
      }
      return {};
    }
    const std::string version = base::FindString(object, {"apiVersion"});
    const std::string name = base::FindString(object, {"metadata", "name"});
    if (kind.empty() || version.empty() || name.empty()) {
      return Invalid("holds an object without apiVersion, kind or metadata.name");
    }
    const kube::ObjectKey key{base::FindString(object, {"metadata", "namespace"}, otherwise_),
                              name};
    if (kind == api::kRabbitClusters.kind()) return AddCluster(object, key, version);
    if (kind == "Secret" && version == "v1") {
      auto secret = SecretOf(object);
      if (!secret) return tl::unexpected(secret.error());
      manifest_.secrets[key] = std::move(*secret);
    } else {
      manifest_.others.push_back(kind + " " + name);
    }
    return {};
  }

  Manifest Take() { return std::move(manifest_); }

 private:
  static tl::unexpected<base::Error> Invalid(std::string message) {
    return base::Fail(ErrorKind::kInvalid, std::move(message));
  }

  base::Result<void> AddCluster(const Json& object, const kube::ObjectKey& key,
                                const std::string& version) {
    if (version != api::kRabbitClusters.ApiVersion()) {
      return Invalid("RabbitCluster " + key.name + " is of " + version + ", not of " +
                     api::kRabbitClusters.ApiVersion());
    }
    if (!required_.empty() && key.ns != required_) {
      return Invalid("RabbitCluster " + key.name + " is of namespace " + key.ns + ", not of " +
                     required_ + ", which --namespace names");
    }
    for (const Manifest::Document& other : manifest_.clusters) {
      if (other.key == key) return Invalid("holds RabbitCluster " + key.ToString() + " twice");
    }
    manifest_.clusters.push_back({key, DeclaredPart(object, key)});
    return {};
  }

  const std::string& otherwise_;
  const std::string& required_;
  Manifest manifest_;
};

// JSON is YAML, but for its escapes of characters beyond the first 65,536.
base::Result<std::vector<Json>> ParseDocuments(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && text[begin] == '{') {
    if (auto json = base::ParseJson(text)) return std::vector<Json>{*std::move(json)};
  }
  return base::ParseYaml(text);
}

}  // namespace

base::Result<Manifest> ParseManifest(std::string_view text, const std::string& otherwise,
                                     const std::string& required) {
  const auto documents = ParseDocuments(text);
  if (!documents) return tl::unexpected(documents.error());
  Reader reader(otherwise, required);
  for (const Json& document : *documents) {
    if (auto added = reader.Add(document); !added) return tl::unexpected(added.error());
  }
  Manifest manifest = reader.Take();
  if (manifest.clusters.empty()) {
    return base::Fail(ErrorKind::kInvalid, "holds no RabbitCluster");
  }
  return manifest;
}

}  // namespace rabbit::commands
