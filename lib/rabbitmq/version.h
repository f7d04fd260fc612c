// lib/rabbitmq/version.h: broker versions and what each can do. Values and pure functions.
// Sources: RabbitMQ 3.10.8 and 4.0.5, run; release notes where neither was in reach.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace rabbit::rabbitmq {

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  auto operator<=>(const Version&) const = default;
  [[nodiscard]] std::string ToString() const;  // "3.10.8"
};

// "3.10.8", "4.0.5-rc.1", "3.13", "3.12.0+7.g12ab": what follows the numbers is ignored.
[[nodiscard]] std::optional<Version> ParseVersion(std::string_view text);

// The version that an image's tag promises: "registry:5000/rabbitmq:3.13-management" is 3.13.0.
// Nothing for "latest", a bare "4", a digest or a tag in other words.
[[nodiscard]] std::optional<Version> VersionOfImage(std::string_view image);

// Whether a pod's image holds the release series ("3.13") that another image promises, so that what
// the one boots from the other does too. Where a tag says no version: whether the two are called
// the same, whatever registry they come from. A digest that an admission webhook put into the pod,
// where the other has none, is no difference.
[[nodiscard]] bool IsOfSeries(std::string_view image_of_pod, std::string_view image);

// Classic queue mirroring (ha-* in policies): until 3.13; from 4.0 on the broker refuses it.
[[nodiscard]] constexpr bool CanMirror(const Version& v) { return v < Version{4, 0, 0}; }
[[nodiscard]] constexpr bool HasRamNodes(const Version& v) { return v < Version{4, 0, 0}; }
// A discovery that may be told to retry for ever. Before, it keeps the first node from starting.
[[nodiscard]] constexpr bool CanRetryDiscovery(const Version& v) { return v >= Version{3, 13, 0}; }
// How many nodes a cluster is to have may be told in its configuration; before, the broker does not
// start with that line (tried with 3.8.9). Nothing here depends on it.
[[nodiscard]] constexpr bool KnowsClusterSize(const Version& v) { return v >= Version{3, 9, 0}; }
// A topic permission may be refused because its exchange is not there: 4.3.6 does, 4.0.5 does not;
// where it began is not known.
[[nodiscard]] constexpr bool MayNeedTheExchange(const Version& v) { return v >= Version{4, 1, 0}; }
// PUT of a vhost that is there changes its description and tags; before, it answers 204 and leaves
// them (source of the tags v3.8.34, v3.9.4 and v3.9.5).
[[nodiscard]] constexpr bool CanUpdateVhost(const Version& v) { return v >= Version{3, 9, 5}; }
// A vhost has a default queue type, said when it is made; and one that may be changed later (source
// of the tags v3.10.7 and v3.10.8, v3.11.16 and v3.11.17).
[[nodiscard]] constexpr bool HasDefaultQueueType(const Version& v) {
  return v >= Version{3, 10, 8};
}
[[nodiscard]] constexpr bool CanUpdateDefaultQueueType(const Version& v) {
  return v >= Version{3, 11, 17};
}
// apply-to classic_queues, quorum_queues, streams: before, "unrecognised".
[[nodiscard]] constexpr bool HasQueueTypeInApplyTo(const Version& v) {
  return v >= Version{3, 12, 0};
}

}  // namespace rabbit::rabbitmq
