// LoadKubeconfig of kube/config.h.
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "base/yaml.h"
#include "kube/config.h"

namespace rabbit::kube {
namespace {

constexpr const char* kSystemRoots = "/etc/ssl/certs/ca-certificates.crt";

tl::unexpected<base::Error> Invalid(std::string message) {
  return base::Fail(base::ErrorKind::kInvalid, std::move(message));
}

struct File {
  std::string path;
  base::Json content;
};

// An entry of one of the named lists, and how to speak of its fields.
struct Entry {
  const File* file = nullptr;
  std::string place;  // "/path: cluster dev"
  base::Json fields = base::Json::object();

  [[nodiscard]] tl::unexpected<base::Error> Bad(std::string_view field,
                                                std::string_view what) const {
    return Invalid(std::string(place).append(": ").append(field).append(": ").append(what));
  }
  // Absent and null are empty.
  [[nodiscard]] base::Result<std::string> Text(std::string_view field) const {
    const base::Json* value = base::Find(fields, {field});
    if (value == nullptr || value->is_null()) return "";
    if (!value->is_string()) return Bad(field, "must be a string");
    return value->get<std::string>();
  }
  [[nodiscard]] base::Result<bool> Flag(std::string_view field) const {
    const base::Json* value = base::Find(fields, {field});
    if (value == nullptr || value->is_null()) return false;
    if (!value->is_boolean()) return Bad(field, "must be true or false");
    return value->get<bool>();
  }
  // The bytes of a base64 field.
  [[nodiscard]] base::Result<std::string> Data(std::string_view field) const {
    auto text = Text(field);
    if (!text) return text;
    std::erase_if(*text, [](char c) { return c == '\n' || c == '\r'; });  // as `base64` wraps
    if (text->empty()) return text;
    auto bytes = base::Base64Decode(*text);
    if (!bytes) return Bad(field, "is not base64");
    return bytes;
  }
  // A path, made relative to the file that it stands in.
  [[nodiscard]] base::Result<std::string> Path(std::string_view field) const {
    auto path = Text(field);
    if (!path || path->empty() || path->front() == '/') return path;
    const auto slash = file->path.rfind('/');
    return slash == std::string::npos ? *path : file->path.substr(0, slash + 1) + *path;
  }
  // `name` is a file and `name`-data its content, which wins.
  template <typename T>
  [[nodiscard]] base::Result<void> Read(const std::string& name, Source<T>& source) const {
    auto data = Data(name + "-data");
    if (!data) return tl::unexpected(std::move(data.error()));
    auto path = Path(name);
    if (!path) return tl::unexpected(std::move(path.error()));
    if (data->empty()) {
      source.file = *std::move(path);
    } else {
      source.value = T(*std::move(data));
    }
    return {};
  }
  // Refuses the fields named when they hold anything.
  [[nodiscard]] base::Result<void> Refuse(std::initializer_list<std::string_view> names,
                                          std::string_view why) const {
    for (const std::string_view name : names) {
      const base::Json* value = base::Find(fields, {name});
      if (value != nullptr && !value->empty() && *value != "") return Bad(name, why);
    }
    return {};
  }
};

using Files = std::vector<File>;

base::Result<Files> ReadAll(const std::vector<std::string>& paths, const ReadFileFunction& read) {
  Files files;
  for (const std::string& path : paths) {
    auto text = read(path);
    if (!text) {
      if (text.error().kind == base::ErrorKind::kNotFound && paths.size() > 1) continue;
      return Invalid("kubeconfig: " + text.error().message);
    }
    const base::Secret whole(*std::move(text));  // it may hold keys and tokens
    auto documents = base::ParseYaml(whole.Reveal());
    if (!documents) return Invalid(path + ": " + documents.error().message);
    if (documents->empty()) continue;
    if (!documents->front().is_object()) return Invalid(path + ": is not a kubeconfig");
    files.push_back({path, std::move(documents->front())});
  }
  if (!files.empty()) return files;
  std::string message = "kubeconfig: ";
  for (const std::string& path : paths) message.append(path).append(" ");
  return Invalid(message + (paths.size() == 1 ? "is empty" : "are missing or empty"));
}

// The first entry `name` of `list` ("clusters"), whose fields are below `member` ("cluster").
base::Result<Entry> FindEntry(const Files& files, const std::string& list,
                              const std::string& member, const std::string& name) {
  for (const File& file : files) {
    const base::Json* entries = base::Find(file.content, {list});
    if (entries == nullptr || entries->is_null()) continue;
    if (!entries->is_array()) return Invalid(file.path + ": " + list + ": must be a list");
    for (const base::Json& entry : *entries) {
      if (base::FindString(entry, {"name"}) != name) continue;
      Entry found{&file, file.path + ": " + member + " " + name, base::Json::object()};
      if (const base::Json* fields = base::Find(entry, {member}); fields && fields->is_object()) {
        found.fields = *fields;
      }
      return found;
    }
  }
  return base::Fail(base::ErrorKind::kNotFound, "no " + member + " " + name);
}

base::Result<void> ReadCluster(const Entry& cluster, ClusterConfig& config) {
  if (auto refused = cluster.Refuse({"proxy-url"}, "proxies are not supported"); !refused) {
    return refused;
  }
  auto url = cluster.Text("server");
  if (!url) return tl::unexpected(std::move(url.error()));
  if (url->empty()) return cluster.Bad("server", "is missing");
  auto server = http::ParseUrl(*url);
  if (!server) return cluster.Bad("server", server.error().message);
  config.server = *std::move(server);
  auto name = cluster.Text("tls-server-name");
  if (!name) return tl::unexpected(std::move(name.error()));
  config.server_name = *std::move(name);
  auto insecure = cluster.Flag("insecure-skip-tls-verify");
  if (!insecure) return tl::unexpected(std::move(insecure.error()));
  config.insecure = *insecure;
  if (auto result = cluster.Read("certificate-authority", config.ca); !result) return result;
  if (config.insecure && !config.ca.empty()) {
    return cluster.Bad("insecure-skip-tls-verify", "contradicts certificate-authority");
  }
  if (config.server.tls && !config.insecure && config.ca.empty()) config.ca.file = kSystemRoots;
  return {};
}

base::Result<void> ReadUser(const Entry& user, ClusterConfig& config) {
  constexpr std::string_view kPlugin =
      "credential plugins are not supported: use a client certificate, token or tokenFile";
  if (auto refused = user.Refuse({"exec", "auth-provider"}, kPlugin); !refused) return refused;
  if (auto refused = user.Refuse({"username", "password"}, "the API server takes no passwords");
      !refused) {
    return refused;
  }
  if (auto refused = user.Refuse({"as", "as-uid", "as-groups", "as-user-extra"},
                                 "impersonation is not supported");
      !refused) {
    return refused;
  }
  if (auto result = user.Read("client-certificate", config.client_certificate); !result) {
    return result;
  }
  if (auto result = user.Read("client-key", config.client_key); !result) return result;
  if (config.client_certificate.empty() && !config.client_key.empty()) {
    return user.Bad("client-certificate", "is missing, but there is a client-key");
  }
  if (config.client_key.empty() && !config.client_certificate.empty()) {
    return user.Bad("client-key", "is missing, but there is a client-certificate");
  }
  auto file = user.Path("tokenFile");
  if (!file) return tl::unexpected(std::move(file.error()));
  config.token.file = *std::move(file);
  auto token = user.Text("token");
  if (!token) return tl::unexpected(std::move(token.error()));
  if (token->find_first_of("\r\n") != std::string::npos) {
    return user.Bad("token", "holds a line break");
  }
  config.token.value = base::Secret(*std::move(token));
  return {};
}

// FindEntry()'s error for what `field` of the context names.
tl::unexpected<base::Error> Missing(const Entry& context, std::string_view field,
                                    const base::Error& error) {
  if (error.kind != base::ErrorKind::kNotFound) return tl::unexpected(error);
  return context.Bad(field, error.message);
}

std::string CurrentContext(const Files& files) {
  for (const File& file : files) {
    std::string name = base::FindString(file.content, {"current-context"});
    if (!name.empty()) return name;
  }
  return {};
}

}  // namespace

base::Result<ClusterConfig> LoadKubeconfig(const std::vector<std::string>& paths,
                                           std::string_view context, const ReadFileFunction& read) {
  const auto files = ReadAll(paths, read);
  if (!files) return tl::unexpected(files.error());
  const std::string& first = files->front().path;
  const std::string name = context.empty() ? CurrentContext(*files) : std::string(context);
  if (name.empty()) return Invalid(first + ": current-context: is missing, and none was named");

  const auto chosen = FindEntry(*files, "contexts", "context", name);
  if (!chosen) {
    if (chosen.error().kind != base::ErrorKind::kNotFound) return tl::unexpected(chosen.error());
    return Invalid(first + ": " + chosen.error().message);
  }
  ClusterConfig config;
  config.origin = "context " + name + " of " + chosen->file->path;
  const auto cluster_name = chosen->Text("cluster");
  if (!cluster_name) return tl::unexpected(cluster_name.error());
  if (cluster_name->empty()) return chosen->Bad("cluster", "is missing");
  const auto user_name = chosen->Text("user");
  if (!user_name) return tl::unexpected(user_name.error());
  const auto ns = chosen->Text("namespace");
  if (!ns) return tl::unexpected(ns.error());
  if (!ns->empty()) config.default_namespace = *ns;

  const auto cluster = FindEntry(*files, "clusters", "cluster", *cluster_name);
  if (!cluster) return Missing(*chosen, "cluster", cluster.error());
  if (auto result = ReadCluster(*cluster, config); !result) return tl::unexpected(result.error());
  if (user_name->empty()) return config;
  const auto user = FindEntry(*files, "users", "user", *user_name);
  if (!user) return Missing(*chosen, "user", user.error());
  if (auto result = ReadUser(*user, config); !result) return tl::unexpected(result.error());
  return config;
}

base::Result<ClusterConfig> LoadKubeconfig(const std::string& file, std::string_view context,
                                           const ReadFileFunction& read) {
  return LoadKubeconfig(std::vector<std::string>{file}, context, read);
}

}  // namespace rabbit::kube
