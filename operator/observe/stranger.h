// operator/observe/stranger.h: whether an object of one of our names is somebody else's. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace rabbit::observe {

// Nothing when the object (JSON) is that cluster's: its controller is the RabbitCluster with
// `cluster_uid`, whatever was done to its labels; or it has no controller, and the labels that we
// give. Else whose it is, in words: "Deployment web, its controller".
[[nodiscard]] std::optional<std::string> StrangerIn(std::string_view object,
                                                    std::string_view cluster_name,
                                                    std::string_view cluster_uid);

// "Deployment web" when that controls `object`, whose labels make it ours. Nothing when nobody
// does, or the RabbitCluster that the labels name: this one, or an earlier one, with which the
// object goes.
[[nodiscard]] std::optional<std::string> ForeignController(const nlohmann::json& object);

}  // namespace rabbit::observe
