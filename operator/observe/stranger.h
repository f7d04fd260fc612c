// operator/observe/stranger.h: whether an object of one of our names is somebody else's. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace rabbit::observe {

// Nothing when the object (JSON) is ours: our managed-by label, and no controller but the
// RabbitCluster with `cluster_uid`. Else whose it is, in words: "Deployment web (controller)".
[[nodiscard]] std::optional<std::string> StrangerIn(std::string_view object,
                                                    std::string_view cluster_uid);

// "Deployment web" when that controls `object`, whose labels make it ours. Nothing when nobody
// does, or the RabbitCluster that the labels name: this one, or an earlier one, with which the
// object goes.
[[nodiscard]] std::optional<std::string> ForeignController(const nlohmann::json& object);

}  // namespace rabbit::observe
