// operator/plan/children.h: every child exists and contains what is desired: create, apply, leave,
// repair, delete. Secrets apart (secrets.h). Pure.
//
// A child is left alone when what was last applied is what is desired now, and its content was once
// compared with that and found to hold it (observe::Verified). So a settled cluster costs no
// building and no comparing, and a change by hand is found by its content hash.
#pragma once

#include <optional>
#include <string>

#include "operator/observe/observation.h"
#include "operator/plan/make_plan.h"
#include "operator/plan/plan.h"
#include "operator/resources/children.h"

namespace rabbit::plan {

// Reasons why something is not to be created yet, or not to be changed. What exists is kept right
// in any other case.
struct Holds {
  std::optional<Wait> stateful_set;  // not created
  std::optional<Wait> proxies;       // not created
  std::optional<Warning> config;     // C-config, not changed
  // The StatefulSet is not created, and no child but C-inventory is changed.
  std::optional<Wait> tls = {};
  // The step without which neither C-inventory is written nor the StatefulSet: it makes what the
  // pods mount besides children (a node that started without it could not be told from one that
  // lost it), or asks what is then recorded.
  std::optional<std::size_t> first;
};

struct ChildrenPlanned {
  // The step that writes C-inventory, if there is one: what is recorded comes before what it
  // records.
  std::optional<std::size_t> inventory_step;
  std::string proxy_config_hash;  // of ConfigMap C-haproxy as desired; empty: no proxies
};

// NameTaken: the object of this name belongs to `by` ("Deployment web, its controller").
[[nodiscard]] Problem NameTaken(const observe::ChildId& id, const std::string& by);

// Appends steps in the order in which children are to be created.
ChildrenPlanned PlanChildren(const resources::ChildInputs& inputs, const observe::Observation& seen,
                             const Holds& holds, PlanMemo& memo, Plan& plan);

}  // namespace rabbit::plan
