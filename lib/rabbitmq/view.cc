#include "rabbitmq/view.h"

#include <algorithm>

namespace rabbit::rabbitmq {
namespace {
template <typename T>
const T* FindNamed(const std::vector<T>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &T::name);
  return found == all.end() ? nullptr : &*found;
}
}  // namespace

const Node* FindNode(const std::vector<Node>& nodes, std::string_view name) {
  return FindNamed(nodes, name);
}

const User* FindUser(const std::vector<User>& users, std::string_view name) {
  return FindNamed(users, name);
}

const Vhost* FindVhost(const std::vector<Vhost>& vhosts, std::string_view name) {
  return FindNamed(vhosts, name);
}

const Policy* FindPolicy(const std::vector<Policy>& policies, std::string_view vhost,
                         std::string_view name) {
  const auto found = std::ranges::find_if(
      policies, [&](const Policy& policy) { return policy.vhost == vhost && policy.name == name; });
  return found == policies.end() ? nullptr : &*found;
}

const Permission* FindPermission(const std::vector<Permission>& permissions, std::string_view user,
                                 std::string_view vhost) {
  const auto found = std::ranges::find_if(permissions, [&](const Permission& permission) {
    return permission.user == user && permission.vhost == vhost;
  });
  return found == permissions.end() ? nullptr : &*found;
}

}  // namespace rabbit::rabbitmq
