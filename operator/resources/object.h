// operator/resources/object.h: what all builders share: metadata, labels, selectors, the parts of a
// pod's spec that users may say. Pure. JSON values here live for one call.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "operator/resources/children.h"

namespace rabbit::resources {

// By which the objects of one component are found; never changes for a cluster.
[[nodiscard]] base::Json SelectorLabels(std::string_view cluster, std::string_view component);
// The same and the rest of the recommended labels.
[[nodiscard]] base::Json Labels(std::string_view cluster, std::string_view component);

// The owner reference of everything that goes with the cluster. An array.
[[nodiscard]] base::Json OwnerReferences(const api::RabbitCluster& cluster);

// apiVersion, kind and metadata with labels and owner.
[[nodiscard]] base::Json NewObject(const api::RabbitCluster& cluster,
                                   const kube::ResourceType& type, std::string_view name,
                                   std::string_view component);

// `object` as text, with its hash. Builders leave out what is empty: an empty map may mean
// something where a user wrote it, and is trouble to server-side apply where nobody did.
[[nodiscard]] DesiredChild Finish(const observe::ChildId& id, base::Json object);

// `from` laid over `target`; what `target` has already stays.
void AddMissing(base::Json& target, const api::StringMap& from);

void SetUnlessEmpty(base::Json& target, const char* key, base::Json value);

[[nodiscard]] base::Json ToJson(const api::Resources& resources);

// The parts of a pod's spec that api::Pod speaks of, for pods of `component`; by default spread
// over hosts and zones by preference and fit for the "restricted" level, running as `uid`.
void AddPodSettings(base::Json& pod_spec, const api::RabbitCluster& cluster, const api::Pod& pod,
                    std::string_view component, int uid);

// securityContext of every container of ours.
[[nodiscard]] base::Json RestrictedContainer();

}  // namespace rabbit::resources
