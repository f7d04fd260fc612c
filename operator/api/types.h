// operator/api/types.h: RabbitCluster, the custom resource, as one plain value. Read next: spec.h,
// load_balancer.h, findings.h, status.h; words in enums.h. From JSON: parse.h; status to JSON:
// status_json.h. Holds no JSON DOM: a few KB a cluster. Values: copied, compared, thread-safe.
#pragma once

#include "kube/resource.h"
#include "operator/api/findings.h"
#include "operator/api/spec.h"
#include "operator/api/status.h"

namespace rabbit::api {

inline constexpr kube::ResourceNames kRabbitClusterNames{"rabbitcluster.dev", "v1beta1",
                                                         "rabbitclusters", "RabbitCluster"};
inline constexpr kube::ResourceType kRabbitClusters{&kRabbitClusterNames};

// Annotation on a RabbitCluster: a new value lets a pending restart happen.
inline constexpr std::string_view kRestartAnnotation = "rabbitcluster.dev/restart";

struct RabbitCluster {
  kube::ObjectMeta meta;
  Spec spec;          // a field in error has its default, a list's entry in error is left out
  Findings findings;  // what is wrong with the spec as declared: look here before acting
  Status status;
  bool operator==(const RabbitCluster&) const = default;
};

}  // namespace rabbit::api
