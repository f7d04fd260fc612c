#include "kube/resource.h"

namespace rabbit::kube {

std::string ResourceType::ApiVersion() const {
  std::string text;
  if (!group().empty()) text.append(group()).append("/");
  return text.append(version());
}

std::string ResourceType::CollectionPath(std::string_view ns) const {
  std::string path = group().empty() ? "/api/" : "/apis/";
  path.append(ApiVersion());
  if (namespaced() && !ns.empty()) path.append("/namespaces/").append(ns);
  return path.append("/").append(plural());
}

std::string ObjectKey::ToString() const { return ns.empty() ? name : ns + "/" + name; }

}  // namespace rabbit::kube
