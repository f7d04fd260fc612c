// operator/act/executor.h: carries a plan out, step by step, and says what became of each. Thin:
// what to do was decided by the planners; what it means is told by Report. Before each write the
// fence is asked whether we still lead. Thread-safe: one Executor serves all workers.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "kube/client.h"
#include "kube/exec_machine.h"
#include "operator/observe/broker_watch.h"
#include "operator/observe/observation.h"
#include "operator/observe/projections.h"
#include "operator/plan/plan.h"
#include "operator/report/report.h"
#include "runtime/fence.h"

namespace rabbit::act {

// How long a call may take that makes or deletes a vhost: with many queues, seconds. (Never beyond
// the fence as it is when the call begins: with a lease that is renewed, about 15 s.) A connection
// to a broker must bear as long a silence.
inline constexpr std::chrono::seconds kLongestBrokerCall(45);

// Runs a command in a container. An error when it could not be run or is not known.
using ExecFunction = std::function<base::Result<kube::ExecResult>(
    const kube::ObjectKey& pod, const std::string& container,
    const std::vector<std::string>& command, const base::Secret& input,
    const http::CallOptions& options)>;

// What was learnt while acting, beside success and failure.
struct Executed {
  std::vector<report::StepResult> results;  // one for each step of the plan
  // Own Secrets that were created, or found when creating.
  std::map<std::string, observe::SecretView> secrets;
  // Names that turned out to be taken: by whom, in words.
  std::map<observe::ChildId, std::string> strangers;
  // Children that were written, as the server answered them: newer than the caches. And those that
  // were to be created and were found to be there, with no applied hash: yet to be compared.
  std::vector<observe::CachedChild> written;
  bool broker_written = false;  // something at the broker changed, or may have: look at it again
};

class Executor {
 public:
  // Nothing is owned; all must outlive the executor.
  Executor(kube::Client& client, observe::Connections& connections, ExecFunction exec,
           const runtime::Fence& fence, base::Clock& clock, base::Random& random);

  // `cluster` is the RabbitCluster that the plan is for, `uid` its uid; `broker` says whom to send
  // broker steps to (the first node that answers). No step begins after `deadline`, or after a
  // stop was requested; what was not begun is skipped.
  [[nodiscard]] Executed Execute(const kube::ObjectKey& cluster, const std::string& uid,
                                 const plan::Plan& plan, const observe::BrokerTarget& broker,
                                 base::TimePoint deadline, const std::stop_token& stop);

 private:
  class Run;
  kube::Client& client_;
  observe::Connections& connections_;
  const ExecFunction exec_;
  const runtime::Fence& fence_;
  base::Clock& clock_;
  base::Random& random_;
};

}  // namespace rabbit::act
