// operator/commands/print_status.h: what a RabbitCluster's status says, for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "operator/api/types.h"

namespace rabbit::commands {

// Nothing but what the operator has written there; what is not known is left out.
[[nodiscard]] std::string PrintStatus(const api::RabbitCluster& cluster);

// Columns under headings, two blanks between them; the last one is not filled up.
[[nodiscard]] std::string Table(const std::vector<std::vector<std::string>>& rows);

// Whether an object of this kind and name belongs to the cluster, by the names that the operator
// gives (docs/reference/names.md).
[[nodiscard]] bool IsOfCluster(std::string_view cluster, std::string_view kind,
                               std::string_view name);

// A page of `events.k8s.io/v1` events, as JSON: those of the cluster and of what it is made of,
// each with its time, to be sorted by it.
struct EventLine {
  std::string time;  // RFC 3339, to the second; of the last time
  std::string type, reason, object, note;
};
struct EventPage {
  std::vector<EventLine> events;
  std::string next;  // the token of the next page; empty: there is none
};
[[nodiscard]] base::Result<EventPage> EventsOf(std::string_view cluster, std::string_view json);
// Oldest first.
[[nodiscard]] std::string PrintEvents(std::vector<EventLine> events);

}  // namespace rabbit::commands
