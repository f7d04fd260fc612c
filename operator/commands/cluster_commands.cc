#include "operator/commands/cluster_commands.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/yaml.h"
#include "http/server.h"
#include "kube/request.h"
#include "operator/api/parse.h"
#include "operator/commands/forward.h"
#include "operator/commands/print_status.h"
#include "operator/commands/user_api.h"
#include "operator/observe/broker_watch.h"
#include "operator/observe/secrets.h"
#include "operator/resources/names.h"

namespace rabbit::commands {
namespace {

using base::Result;

constexpr std::string_view kManager = "kubectl-rabbit";
constexpr int kEventsAPage = 500;
constexpr int kMostPages = 100;
constexpr std::size_t kLargestUpload = 16 << 20;  // definitions to import

Output Refusal(const std::string& message) {
  return {.out = {},
          .error = "rabbit-operator: " + base::OnOneLine(message) + "\n",
          .exit_code = kExitUsage};
}

Result<std::string> Status(UserApi& api, const ClusterOptions& options) {
  const auto text = api.GetCluster(options.name);
  if (!text) return tl::unexpected(text.error());
  if (options.json) {
    const auto object = base::ParseJson(*text);
    if (!object) return tl::unexpected(object.error());
    const base::Json* status = base::Find(*object, {"status"});
    return base::DumpPretty(status == nullptr ? base::Json::object() : *status) + "\n";
  }
  const auto cluster = api::ParseRabbitCluster(*text);
  if (!cluster) return tl::unexpected(cluster.error());
  return PrintStatus(*cluster);
}

Result<std::string> Events(UserApi& api, const ClusterOptions& options) {
  if (const auto cluster = api.GetCluster(options.name); !cluster) {
    return tl::unexpected(cluster.error());
  }
  std::vector<EventLine> events;
  std::string next;
  for (int i = 0; i < kMostPages; ++i) {
    std::string target = "/apis/events.k8s.io/v1/namespaces/" + http::Escape(api.ns()) + "/events";
    http::AddQuery(target, "limit", std::to_string(kEventsAPage));
    if (!next.empty()) http::AddQuery(target, "continue", next);
    const auto text = api.client().Send({.target = target}, api.Call());
    if (!text) return base::FailWrapped(text.error(), "list events");
    auto page = EventsOf(options.name, *text);
    if (!page) return tl::unexpected(page.error());
    for (EventLine& event : page->events) events.push_back(std::move(event));
    next = std::move(page->next);
    if (next.empty()) break;
  }
  if (events.empty()) return "no events of RabbitCluster " + options.name + "\n";
  return PrintEvents(std::move(events));
}

Result<std::string> Pause(UserApi& api, const ClusterOptions& options, bool pause) {
  const auto text = api.GetCluster(options.name);
  if (!text) return tl::unexpected(text.error());
  const auto object = base::ParseJson(*text);
  if (!object) return tl::unexpected(object.error());
  const std::string named = "RabbitCluster " + api.KeyOf(options.name).ToString();
  const char* const meaning =
      pause ? ": the operator looks at it and tells what it would do, and changes nothing, neither "
              "in Kubernetes nor at the broker, until it is resumed (spec.paused)\n"
            : ": the operator puts back what differs from what is declared\n";
  if (base::FindBool(*object, {"spec", "paused"}) == pause) {
    return named + (pause ? " is paused already" : " is not paused") + meaning;
  }
  // Taken out, not set to false: then nobody manages the field. (It reads false all the same: that
  // is the CRD's default, which the API server fills in.)
  const base::Json patch = {{"metadata", {{"uid", base::FindString(*object, {"metadata", "uid"})}}},
                            {"spec", {{"paused", pause ? base::Json(true) : base::Json()}}}};
  http::Request request =
      kube::MergePatchRequest(api::kRabbitClusters, api.KeyOf(options.name), base::Dump(patch));
  request.target = kube::ObjectPath(api::kRabbitClusters, api.KeyOf(options.name));
  http::AddQuery(request.target, "fieldManager", kManager);
  if (const auto patched = api.client().Send(std::move(request), api.Call()); !patched) {
    return tl::unexpected(patched.error());
  }
  return named + (pause ? " is paused" : " is resumed") + meaning;
}

// Who logs in: the name, and the password when it is asked for.
Result<std::string> Login(UserApi& api, const ClusterOptions& options) {
  const std::string name = resources::DefaultUserSecretName(options.name);
  const auto text = api.client().Get(kube::kSecrets, api.KeyOf(name), api.Call());
  if (!text) return tl::unexpected(text.error());
  const auto secret = observe::ParseSecret(*text);
  if (!secret) return tl::unexpected(secret.error());
  const auto value = [&](const char* key) {
    const auto found = secret->data.find(key);
    return found == secret->data.end() ? std::string() : std::string(found->second.Reveal());
  };
  std::string lines = "user: " + value(resources::kUsernameKey) + "\n";
  if (options.show_password) return lines + "password: " + value(resources::kPasswordKey) + "\n";
  return lines + "password: in Secret " + name + ", or with --show-password\n";
}

}  // namespace

Output ClusterCommand(Command command, const ClusterOptions& options,
                      const Environment& environment) {
  auto config = LoadUserConfig(options.kubeconfig, options.context, environment);
  if (!config) return Refusal(config.error().message);
  UserApi api(options, std::move(*config));
  const auto text = command == Command::kStatus   ? Status(api, options)
                    : command == Command::kEvents ? Events(api, options)
                                                  : Pause(api, options, command == Command::kPause);
  if (!text) return Refusal(text.error().message);
  return {.out = *text, .error = {}, .exit_code = 0};
}

Output Manage(const ClusterOptions& options, const Environment& environment,
              const std::function<void(const std::string& text)>& say,
              const std::function<void()>& wait) {
  auto config = LoadUserConfig(options.kubeconfig, options.context, environment);
  if (!config) return Refusal(config.error().message);
  UserApi api(options, std::move(*config));
  const auto text = api.GetCluster(options.name);
  if (!text) return Refusal(text.error().message);
  const auto cluster = api::ParseRabbitCluster(*text);
  if (!cluster) return Refusal(cluster.error().message);
  const auto& nodes = cluster->status.nodes;
  const auto node = std::ranges::find_if(
      nodes, [](const api::NodeStatus& each) { return each.running && !each.pod.empty(); });
  if (node == nodes.end()) {
    return Refusal("no node of RabbitCluster " + cluster->meta.key.ToString() +
                   " runs: `status` says more");
  }
  // The way through the API server has no TLS within. That metrics are had with TLS alone says that
  // no broker listens without it, whatever is declared meanwhile.
  if (cluster->status.endpoints.metrics.starts_with("https:")) {
    return Refusal("brokers of RabbitCluster " + cluster->meta.key.ToString() +
                   " speak TLS alone, which this command does not: `kubectl port-forward -n " +
                   cluster->meta.key.ns + " " + node->pod +
                   " 15671`, and https://127.0.0.1:15671/ leads there");
  }
  const auto login = Login(api, options);
  if (!login) return Refusal(login.error().message);
  const auto broker = api.ForwardTo(node->pod, observe::kManagementPort);
  // Nobody but who is on this machine.
  auto server =
      http::Server::Start({.address = "127.0.0.1",
                           .port = options.port,
                           .max_threads = 16,
                           .max_body_bytes = kLargestUpload,
                           .read_timeout = std::chrono::minutes(1)},
                          [&](const http::Request& request, http::ResponseWriter& writer) {
                            ForwardTo(*broker, request, writer);
                          });
  if (!server) return Refusal(server.error().message);
  say("http://127.0.0.1:" + std::to_string((*server)->port()) + "/ leads to pod " + node->pod +
      ", until Ctrl-C\n" + *login);
  wait();
  static_cast<void>((*server)->Stop(std::chrono::seconds(1)));
  return {};
}

int ManageUntilSignal(const ClusterOptions& options, const Environment& environment) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const Output output = Manage(
      options, environment,
      [](const std::string& text) {
        std::fputs(text.c_str(), stdout);
        std::fflush(stdout);
      },
      [&signals] {
        int signal = 0;
        sigwait(&signals, &signal);
      });
  std::fputs(output.error.c_str(), stderr);
  return output.exit_code;
}

}  // namespace rabbit::commands
