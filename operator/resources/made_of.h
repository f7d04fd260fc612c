// operator/resources/made_of.h: what a broker's pod was made of and booted from, part by part under
// the names that people know, so that a pending restart says because of what. Values are digests:
// enough to see that two differ, and nothing that tells a secret. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "operator/observe/observation.h"
#include "operator/resources/broker_config.h"

namespace rabbit::resources {

// "image", "env TZ", "resources.limits.memory", "rabbitmq.conf key log.console" and their like.
using observe::MadeOf;

// Of a pod, or of a pod template: what of it the spec decides.
[[nodiscard]] MadeOf MadeOfPod(const base::Json& pod);
// Of the files that a broker boots from, without the list of nodes.
[[nodiscard]] MadeOf MadeOfFiles(const BrokerFiles& files);

// Both of what is declared. Empty where it cannot be built.
[[nodiscard]] MadeOf MadeOfDeclared(const ChildInputs& inputs);
// Both of a pod as the server tells it; of the files nothing where its guard did not.
[[nodiscard]] MadeOf MadeOfRunning(const base::Json& pod);

// The files' digests as a text, which the guard tells: no longer than a pod's status may be. What
// has no room is told as a whole.
[[nodiscard]] std::string DigestText(const MadeOf& files);

// The names of what differs, sorted. What only the server or an admission webhook puts into a pod
// is none; of files that are not known nothing is said.
[[nodiscard]] std::vector<std::string> Differences(const MadeOf& running, const MadeOf& declared);

}  // namespace rabbit::resources
