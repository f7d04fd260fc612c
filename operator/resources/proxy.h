// operator/resources/proxy.h: the proxies in front of the brokers: ConfigMap and Deployment
// C-haproxy. Pure. The configuration is the truth; its hash in the pod template rolls the proxies
// when it changes, each new one in place before an old one drains.
#pragma once

#include "base/error.h"
#include "haproxy/render.h"
#include "operator/resources/children.h"

namespace rabbit::resources {

inline constexpr int kProxyUid = 99;  // haproxy, in the official image
inline constexpr const char* kProxyConfigFile = "haproxy.cfg";

// kInvalid names the value that the proxy would refuse.
[[nodiscard]] base::Result<haproxy::Rendered> MakeProxyConfig(const ChildInputs& inputs);

[[nodiscard]] DesiredChild BuildProxyConfig(const ChildInputs& inputs);
[[nodiscard]] DesiredChild BuildProxyDeployment(const ChildInputs& inputs);

}  // namespace rabbit::resources
