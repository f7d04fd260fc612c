// operator/observe/stranger.h: whether an object of one of our names is somebody else's. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rabbit::observe {

// Nothing when the object (JSON) is ours: our managed-by label, and no controller but the
// RabbitCluster with `cluster_uid`. Else whose it is, in words: "Deployment web (controller)".
[[nodiscard]] std::optional<std::string> StrangerIn(std::string_view object,
                                                    std::string_view cluster_uid);

}  // namespace rabbit::observe
