#include "operator/act/executor.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "operator/api/types.h"
#include "operator/observe/projections.h"
#include "operator/observe/secrets.h"
#include "operator/observe/stranger.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"
#include "operator/resources/own_user.h"
#include "operator/resources/plugins.h"
#include "rabbitmq/client.h"
#include "rabbitmq/password_hash.h"

namespace rabbit::act {
namespace {

using base::Result;

constexpr std::chrono::seconds kApiCall(15);
constexpr std::chrono::seconds kBrokerCall(5);
constexpr std::chrono::seconds kExecCall(60);
constexpr std::size_t kLongestTold = 5'000;  // of what a command says

bool IsForBroker(const plan::Action& action) {
  return std::visit(
      []<typename Step>(const Step&) {
        return !std::is_same_v<Step, plan::CreateObject> &&
               !std::is_same_v<Step, plan::CreateSecretOnce> &&
               !std::is_same_v<Step, plan::ChangeSecret> &&
               !std::is_same_v<Step, plan::ApplyObject> &&
               !std::is_same_v<Step, plan::DeleteObject> &&
               !std::is_same_v<Step, plan::ExecInPod> && !std::is_same_v<Step, plan::SetPlugins> &&
               !std::is_same_v<Step, plan::ResetOwnUser>;
      },
      action);
}

// An answer that says of what was to be imported that it will not do.
bool IsRefusal(const base::Error& error) {
  return error.kind == base::ErrorKind::kInvalid || error.kind == base::ErrorKind::kNotFound ||
         error.kind == base::ErrorKind::kConflict;
}

// Some entries make a broker fail; but it may be the broker's fault, and go better next time.
bool IsFailure(const base::Error& error) {
  constexpr int kFailed = 500;
  return error.http_status == kFailed;
}

}  // namespace

// One execution: what the steps share.
class Executor::Run {
 public:
  // Asked before each step, and between the calls of one.
  [[nodiscard]] bool MayGoOn() const {
    const base::TimePoint now = executor_.clock_.Now();
    return !stop_.stop_requested() && now < deadline_ && executor_.fence_.MayWrite(now);
  }

  // Whether to ask the broker again is in vain: no node has answered anything since more than one
  // call was made. (One alone may be slow because of what it asks for.) Further ones would only
  // hold a worker, and back what is known.
  [[nodiscard]] bool IsBrokerSilent() const {
    return calls_in_vain_ > 1 && silent_.size() == broker_.nodes.size();
  }

  Run(Executor& executor, const kube::ObjectKey& cluster, const std::string& uid,
      const observe::BrokerTarget& broker, const std::stop_token& stop, base::TimePoint deadline,
      Executed& out)
      : executor_(executor),
        cluster_(cluster),
        uid_(uid),
        broker_(broker),
        stop_(stop),
        deadline_(deadline),
        out_(out) {}

  Result<void> operator()(const plan::CreateObject& step) {
    auto created = executor_.client_.Create(step.type, cluster_.ns, step.body, ApiCall());
    if (created) {
      Remember(step.type, *created);
      return {};
    }
    if (created.error().kind != base::ErrorKind::kExists) return tl::unexpected(created.error());
    const auto found = executor_.client_.Get(step.type, Key(step.name), ApiCall());
    if (!found) return tl::unexpected(found.error());
    // Somebody else's: left alone.
    if (auto stranger = observe::StrangerIn(*found, cluster_.name, uid_)) {
      out_.strangers[{step.type, step.name}] = *stranger;
      return base::Fail(base::ErrorKind::kExists, "the name belongs to " + *stranger);
    }
    // Ours, and our cache is late, or will never show it, because somebody took off the labels that
    // it selects by: the next plan goes on with what was found.
    RememberFound(step.type, *found);
    return base::Fail(base::ErrorKind::kConflict, "it exists already, and was not seen yet");
  }

  Result<void> operator()(const plan::CreateSecretOnce& step) {
    auto body = base::ParseJson(step.body);
    if (!body) return tl::unexpected(body.error());
    for (const auto& random : step.random) {
      (*body)["stringData"][random.key] =
          base::RandomAlphanumeric(executor_.random_, random.length);
    }
    Result<std::string> text =
        executor_.client_.Create(kube::kSecrets, cluster_.ns, base::Dump(*body), ApiCall());
    if (!text && text.error().kind == base::ErrorKind::kExists) {
      text = executor_.client_.Get(kube::kSecrets, Key(step.name), ApiCall());
    }
    if (!text) return tl::unexpected(text.error());
    auto foreign = RememberSecret(step.name, *text);
    if (!foreign) return tl::unexpected(foreign.error());
    const std::string& owner = out_.secrets[step.name].owner_uid;
    if (!*foreign && !owner.empty() && owner != uid_) {
      out_.secrets.erase(step.name);  // about to be collected: not to be relied upon
      return base::Fail(base::ErrorKind::kConflict,
                        "it belongs to an earlier cluster of this name");
    }
    if (*foreign) return base::Fail(base::ErrorKind::kExists, "the name belongs to somebody else");
    return {};
  }

  Result<void> operator()(const plan::ChangeSecret& step) {
    const auto text =
        executor_.client_.MergePatch(kube::kSecrets, Key(step.name), step.body, ApiCall());
    if (!text) return tl::unexpected(text.error());
    auto foreign = RememberSecret(step.name, *text);
    if (!foreign) return tl::unexpected(foreign.error());
    return {};
  }

  Result<void> operator()(const plan::ApplyObject& step) {
    auto body = base::ParseJson(step.body);
    if (!body) return tl::unexpected(body.error());
    (*body)["metadata"]["uid"] = step.uid;
    if (auto owned = OwnByApply(step); !owned) return owned;
    const std::string text = base::Dump(*body);
    auto applied = executor_.client_.Apply(step.type, Key(step.name), text, ApiCall());
    if (!applied && applied.error().kind == base::ErrorKind::kInvalid && step.replace_lists) {
      // A merge patch replaces lists whole; the apply after it takes their ownership.
      const auto patched = executor_.client_.MergePatch(step.type, Key(step.name), text, ApiCall());
      if (!patched) return tl::unexpected(patched.error());
      applied = executor_.client_.Apply(step.type, Key(step.name), text, ApiCall());
    }
    if (!applied) return tl::unexpected(applied.error());
    Remember(step.type, *applied);
    return {};
  }

  Result<void> operator()(const plan::DeleteObject& step) {
    return executor_.client_.Delete(step.type, Key(step.name), step.uid, ApiCall());
  }

  Result<void> operator()(const plan::PutClusterName& step) {
    return AtBroker([&](auto& broker) { return broker.PutClusterName(step.name, BrokerCall()); });
  }
  // A vhost is made, or goes with every queue in it, on all nodes before the broker answers.
  Result<void> operator()(const plan::PutVhost& step) {
    const rabbitmq::Vhost vhost{.name = step.name,
                                .description = step.description,
                                .tags = step.tags,
                                .default_queue_type = step.default_queue_type};
    return AtBroker([&](auto& broker) { return broker.PutVhost(vhost, Call(kLongestBrokerCall)); },
                    Failover::kUnlessItGoesOn);
  }
  Result<void> operator()(const plan::DeleteVhost& step) {
    const auto delete_it = [&](auto& broker) -> Result<void> {
      if (step.if_empty) {
        // The plan was made from a look, and a client may have declared a queue since.
        auto queues = broker.CountQueues(step.name, BrokerCall());
        if (!queues) {
          queues.error().sent = base::Sent::kNo;  // nothing was deleted: another node may be asked
          return tl::unexpected(queues.error());
        }
        if (*queues > 0) {
          return base::Fail(base::ErrorKind::kConflict,
                            "it is not empty any more: " + plan::Counted(*queues, "queue"));
        }
      }
      return broker.DeleteVhost(step.name, Call(kLongestBrokerCall));
    };
    return AtBroker(delete_it, Failover::kUnlessItGoesOn);
  }
  Result<void> operator()(const plan::PutVhostLimit& step) {
    return AtBroker([&](auto& broker) {
      return broker.PutVhostLimit(step.vhost, step.limit, step.value, BrokerCall());
    });
  }
  Result<void> operator()(const plan::DeleteVhostLimit& step) {
    return AtBroker([&](auto& broker) {
      return broker.DeleteVhostLimit(step.vhost, step.limit, BrokerCall());
    });
  }
  Result<void> operator()(const plan::PutUser& step) {
    rabbitmq::User user{.name = step.name,
                        .tags = step.tags,
                        .password_hash = step.password_hash,
                        .hashing_algorithm = step.hashing_algorithm};
    if (step.password) {
      auto hash = rabbitmq::HashPassword(*step.password, rabbitmq::kSha256, executor_.random_);
      if (!hash) return tl::unexpected(hash.error());
      user.password_hash = std::move(*hash);
      user.hashing_algorithm = rabbitmq::kSha256;
    }
    return AtBroker([&](auto& broker) { return broker.PutUser(user, BrokerCall()); });
  }
  Result<void> operator()(const plan::DeleteUser& step) {
    return AtBroker([&](auto& broker) { return broker.DeleteUser(step.name, BrokerCall()); });
  }
  Result<void> operator()(const plan::PutUserLimit& step) {
    return AtBroker([&](auto& broker) {
      return broker.PutUserLimit(step.user, step.limit, step.value, BrokerCall());
    });
  }
  Result<void> operator()(const plan::DeleteUserLimit& step) {
    return AtBroker(
        [&](auto& broker) { return broker.DeleteUserLimit(step.user, step.limit, BrokerCall()); });
  }
  Result<void> operator()(const plan::PutPermissions& step) {
    const rabbitmq::Permission permission{.user = step.user,
                                          .vhost = step.vhost,
                                          .configure = step.configure,
                                          .write = step.write,
                                          .read = step.read};
    return AtBroker([&](auto& broker) { return broker.PutPermission(permission, BrokerCall()); });
  }
  Result<void> operator()(const plan::DeletePermissions& step) {
    return AtBroker(
        [&](auto& broker) { return broker.DeletePermission(step.user, step.vhost, BrokerCall()); });
  }
  Result<void> operator()(const plan::PutTopicPermission& step) {
    const rabbitmq::TopicPermission permission{.user = step.user,
                                               .vhost = step.vhost,
                                               .exchange = step.exchange,
                                               .write = step.write,
                                               .read = step.read};
    return AtBroker(
        [&](auto& broker) { return broker.PutTopicPermission(permission, BrokerCall()); });
  }
  Result<void> operator()(const plan::DeleteTopicPermission& step) {
    return AtBroker([&](auto& broker) {
      return broker.DeleteTopicPermission(step.user, step.vhost, step.exchange, BrokerCall());
    });
  }
  Result<void> operator()(const plan::PutPolicy& step) {
    const rabbitmq::Policy policy{.vhost = step.vhost,
                                  .name = step.name,
                                  .pattern = step.pattern,
                                  .apply_to = step.apply_to,
                                  .priority = step.priority,
                                  .definition = step.definition};
    const bool is_operators = step.kind == rabbitmq::PolicyKind::kOperator;
    return AtBroker([&](auto& broker) {
      return is_operators ? broker.PutOperatorPolicy(policy, BrokerCall())
                          : broker.PutPolicy(policy, BrokerCall());
    });
  }
  Result<void> operator()(const plan::DeletePolicy& step) {
    const bool is_operators = step.kind == rabbitmq::PolicyKind::kOperator;
    return AtBroker([&](auto& broker) {
      return is_operators ? broker.DeleteOperatorPolicy(step.vhost, step.name, BrokerCall())
                          : broker.DeletePolicy(step.vhost, step.name, BrokerCall());
    });
  }

  Result<void> operator()(const plan::ImportDefinitions& step) {
    std::optional<base::Error> first;  // that was answered so
    int more = 0;
    bool all_refused = true;
    // Not all was tried, so it is no refusal: those behind are to have their turn.
    const auto cut = [&](base::Error error) {
      if (first) error.message += "; before that: " + first->message;
      return Result<void>(tl::unexpected(std::move(error)));
    };
    for (const auto& part : step.parts) {
      if (!MayGoOn()) {
        return cut({.kind = base::ErrorKind::kRetry, .message = "no time was left for all of it"});
      }
      auto done = AtBroker(
          [&](auto& broker) { return broker.PostDefinitions(part.body, Call(kLongestBrokerCall)); },
          Failover::kUnlessItGoesOn);
      if (done) continue;
      const bool refused = IsRefusal(done.error());
      if (!refused && !IsFailure(done.error())) return cut(done.error());
      all_refused = all_refused && refused;
      if (first) {
        ++more;
      } else {
        first = base::Wrap(done.error(), part.what);
      }
    }
    if (!first) return {};
    first->kind = all_refused ? base::ErrorKind::kInvalid : base::ErrorKind::kRetry;
    if (more > 0) first->message += " (and " + std::to_string(more) + " more)";
    return tl::unexpected(*std::move(first));
  }
  Result<void> operator()(const plan::EnableFlag& step) {
    return AtBroker(
        [&](auto& broker) { return broker.EnableFlag(step.name, Call(kLongestBrokerCall)); },
        Failover::kUnlessItGoesOn);
  }
  Result<void> operator()(const plan::ExecInPod& step) {
    return RunIn(step.pod, step.container, step.command, step.input);
  }

  Result<void> operator()(const plan::ResetOwnUser& step) {
    const auto hash = rabbitmq::HashPassword(step.password, rabbitmq::kSha256, executor_.random_);
    if (!hash) return tl::unexpected(hash.error());
    out_.broker_written = true;
    return RunIn(step.pod, std::string(resources::kBrokerContainer), resources::ImportCommand(),
                 resources::OwnUserDefinition(*hash, rabbitmq::kSha256));
  }
  Result<void> operator()(const plan::SetPlugins& step) {
    const auto ended =
        executor_.exec_(Key(step.pod), std::string(resources::kBrokerContainer),
                        resources::SetPluginsCommand(step.plugins), {}, Call(kExecCall));
    if (!ended) return tl::unexpected(ended.error());
    out_.broker_written = true;
    if (ended->exit_code == 0) return {};
    const bool missing = ended->exit_code == resources::kSomePluginsMissing;
    std::string said = resources::TroubleIn(ended->errors);
    if (said.empty()) said = "exit code " + std::to_string(ended->exit_code);
    return base::Fail(missing ? base::ErrorKind::kInvalid : base::ErrorKind::kRetry,
                      plan::Shortened(said, kLongestTold));
  }

 private:
  [[nodiscard]] kube::ObjectKey Key(const std::string& name) const { return {cluster_.ns, name}; }
  [[nodiscard]] http::CallOptions Call(base::Duration time) const {
    const base::TimePoint now = executor_.clock_.Now();
    // A call begins only while the fence is open: its deadline has passed otherwise.
    return {.deadline = executor_.fence_.MayWrite(now)
                            ? std::min({now + time, deadline_, executor_.fence_.WritesEndBy()})
                            : now,
            .stop = stop_};
  }
  Result<void> RunIn(const std::string& pod, const std::string& container,
                     const std::vector<std::string>& command, const base::Secret& input) {
    const auto ended = executor_.exec_(Key(pod), container, command, input, Call(kExecCall));
    if (!ended) return tl::unexpected(ended.error());
    if (ended->exit_code != 0) {
      return base::Fail(base::ErrorKind::kRetry,
                        "the command ended with exit code " + std::to_string(ended->exit_code));
    }
    return {};
  }

  [[nodiscard]] http::CallOptions ApiCall() const { return Call(kApiCall); }
  [[nodiscard]] http::CallOptions BrokerCall() const { return Call(kBrokerCall); }

  void Remember(const kube::ResourceType& type, const std::string& answer) {
    if (type == api::kRabbitClusters) return;  // the cluster itself is no child
    if (auto child = observe::ProjectChild(type, answer)) out_.written.push_back(std::move(*child));
  }

  // What was read, not written: without its hash nobody takes it for what we once applied, so it is
  // read again and compared.
  void RememberFound(const kube::ResourceType& type, const std::string& answer) {
    auto child = observe::ProjectChild(type, answer);
    if (!child) return;
    child->cluster = cluster_;  // its labels may say something else
    child->child.applied_hash.clear();
    out_.written.push_back(std::move(*child));
  }

  // Whether it is somebody else's.
  Result<bool> RememberSecret(const std::string& name, const std::string& answer) {
    auto secret = observe::ParseSecret(answer);
    if (!secret) return tl::unexpected(secret.error());
    const bool foreign = secret->state == observe::SecretState::kForeign;
    out_.secrets[name] = std::move(*secret);
    return foreign;
  }

  // What POST created belongs to an `Update` entry of managedFields that apply cannot take fields
  // out of. Turns our own entry into an `Apply` one, once, guarded by a test of its manager.
  Result<void> OwnByApply(const plan::ApplyObject& step) {
    const auto text = executor_.client_.Get(step.type, Key(step.name), ApiCall());
    if (!text) return tl::unexpected(text.error());
    const auto object = base::ParseJson(*text);
    if (!object) return tl::unexpected(object.error());
    const base::Json* fields = base::Find(*object, {"metadata", "managedFields"});
    if (fields == nullptr || !fields->is_array()) return {};
    const auto ours = [](const nlohmann::json& entry, std::string_view operation) {
      return base::FindString(entry, {"manager"}) == resources::kFieldManager &&
             base::FindString(entry, {"operation"}) == operation && !entry.contains("subresource");
    };
    // Two Apply entries of one manager would hide fields from each other.
    if (std::any_of(fields->begin(), fields->end(),
                    [&](const auto& entry) { return ours(entry, "Apply"); })) {
      return {};
    }
    for (std::size_t i = 0; i < fields->size(); ++i) {
      if (!ours((*fields)[i], "Update")) continue;
      const std::string path = "/metadata/managedFields/" + std::to_string(i);
      const base::Json patch = {
          {{"op", "test"}, {"path", "/metadata/uid"}, {"value", step.uid}},
          {{"op", "test"}, {"path", path + "/manager"}, {"value", resources::kFieldManager}},
          {{"op", "test"}, {"path", path + "/operation"}, {"value", "Update"}},
          {{"op", "replace"}, {"path", path + "/operation"}, {"value", "Apply"}}};
      const auto patched =
          executor_.client_.JsonPatch(step.type, Key(step.name), base::Dump(patch), ApiCall());
      if (!patched) return tl::unexpected(patched.error());
      return {};
    }
    return {};
  }

  // Its answer was lost, or the broker failed on the way.
  static bool MayBeDone(const base::Error& error) {
    constexpr int kServerError = 500;
    return error.sent != base::Sent::kNo || error.http_status >= kServerError;
  }

  // kUnlessItGoesOn: a call that may have arrived, and was not answered, may still be at work
  // there; a second one on another node would only be in its way. The next look shows what came of
  // it.
  enum class Failover { kAlways, kUnlessItGoesOn };

  // Sends one call to the first node that can be reached. All calls are idempotent, so one that may
  // have arrived is simply sent to the next node as well, but see Failover. The next call begins
  // where this one was answered: a node that hangs is waited for once, not by each step.
  template <typename CallBroker>
  Result<void> AtBroker(const CallBroker& call, Failover failover = Failover::kAlways) {
    Result<void> result = base::Fail(base::ErrorKind::kRetry, "no node of the cluster serves yet");
    for (std::size_t i = 0; i < broker_.nodes.size(); ++i) {
      const std::size_t at = (answered_last_ + i) % broker_.nodes.size();
      const auto& node = broker_.nodes[at];
      if (!MayGoOn()) break;  // that one node hung does not send the call to the next, too late
      const auto transport = executor_.connections_.To(node.address, node.port(), node.tls);
      if (!transport) {
        result = tl::unexpected(transport.error());
        silent_.insert(at);
        continue;
      }
      rabbitmq::ManagementClient client(**transport, broker_.user, broker_.password);
      result = call(client);
      if (result || MayBeDone(result.error())) out_.broker_written = true;
      if (result || result.error().http_status != 0) {
        silent_.clear();
        calls_in_vain_ = 0;
      }
      if (result || result.error().kind != base::ErrorKind::kRetry) {
        answered_last_ = at;
        return result;
      }
      executor_.connections_.Forget(node.address, node.port());
      const base::Error& error = result.error();
      if (error.http_status == 0) silent_.insert(at);
      if (failover == Failover::kUnlessItGoesOn && error.http_status == 0 &&
          error.sent != base::Sent::kNo) {
        answered_last_ = (at + 1) % broker_.nodes.size();
        break;
      }
    }
    ++calls_in_vain_;
    return result;
  }

  Executor& executor_;
  const kube::ObjectKey& cluster_;
  const std::string& uid_;
  const observe::BrokerTarget& broker_;
  const std::stop_token& stop_;
  const base::TimePoint deadline_;
  Executed& out_;
  std::size_t answered_last_ = 0;  // of broker_.nodes
  // Since a node last answered anything: which did not, and how many calls came to nothing.
  std::set<std::size_t> silent_;
  int calls_in_vain_ = 0;
};

Executor::Executor(kube::Client& client, observe::Connections& connections, ExecFunction exec,
                   const runtime::Fence& fence, base::Clock& clock, base::Random& random)
    : client_(client),
      connections_(connections),
      exec_(std::move(exec)),
      fence_(fence),
      clock_(clock),
      random_(random) {}

Executed Executor::Execute(const kube::ObjectKey& cluster, const std::string& uid,
                           const plan::Plan& plan, const observe::BrokerTarget& broker,
                           base::TimePoint deadline, const std::stop_token& stop) {
  using Outcome = report::StepResult::Outcome;
  Executed out;
  Run run(*this, cluster, uid, broker, stop, deadline, out);
  for (const plan::Step& step : plan.steps) {
    report::StepResult result{.outcome = Outcome::kSkipped, .error = {}};
    const bool held_back = step.after && out.results[*step.after].outcome != Outcome::kDone;
    const bool in_vain = run.IsBrokerSilent() && IsForBroker(step.action);
    if (!held_back && !in_vain && run.MayGoOn()) {
      const Result<void> done = std::visit(run, step.action);
      result.outcome = done ? Outcome::kDone : Outcome::kFailed;
      if (!done) result.error = base::Wrap(done.error(), plan::Describe(step));
    }
    out.results.push_back(std::move(result));
  }
  return out;
}

}  // namespace rabbit::act
