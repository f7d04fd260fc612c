#include "operator/commands/run.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "base/random.h"
#include "http/beast_transport.h"
#include "http/server.h"
#include "operator/act/executor.h"
#include "operator/commands/api_access.h"
#include "operator/commands/descriptors.h"
#include "operator/commands/memory.h"
#include "operator/commands/refusals.h"
#include "operator/commands/rights.h"
#include "operator/observe/observer.h"
#include "operator/reconciler.h"
#include "runtime/controller.h"
#include "runtime/elector.h"
#include "runtime/events.h"
#include "runtime/health.h"
#include "runtime/manager.h"
#include "runtime/metrics.h"
#include "runtime/process_metrics.h"
#include "runtime/watch_metrics.h"

namespace rabbit::commands {
namespace {

// The API server may come up long after us: only a stop ends that wait.
constexpr base::Duration kUntilStopped = std::chrono::hours(24 * 365);
// Events of children come in bursts: one reconcile for each burst.
constexpr base::Duration kBurst = std::chrono::milliseconds(100);
// What can wait until something else happens, waits that long at most.
constexpr base::Duration kNoHurry = std::chrono::seconds(3);
// SIGTERM to the end: five seconds at most, and half a second of them for the way out.
constexpr std::chrono::milliseconds kStopTogether{4'500};
constexpr std::chrono::milliseconds kFinishReconciles{1'500};
constexpr std::chrono::milliseconds kFlushEvents{500};
constexpr std::chrono::milliseconds kReleaseLease{1'000};
// What later parts are left of it, so that a slow one costs no lease: two seconds in all.
constexpr std::chrono::milliseconds kShareOfLooking{250};  // caches and pollers, each
constexpr std::chrono::milliseconds kShareOfEvents{300};
constexpr std::chrono::milliseconds kShareOfServing{200};

constexpr std::chrono::seconds kNeverMind{30};  // longer than anybody waits: the process ends first

// Stages of the stop: first nobody decides any more, last nobody is told any more.
enum StopStage { kStopWork, kStopLooking, kStopTelling, kStopLeading, kStopServing };

base::Result<std::unique_ptr<http::Transport>> ConnectPlain(const std::string& address,
                                                            std::uint16_t port) {
  return http::MakeBeastTransport(
      {.tls = false, .address = address, .port = port, .host_header = address}, {},
      {.keep = 2,  // one that looks and one that acts
       .connect_timeout = std::chrono::seconds(2),
       .idle_timeout = act::kLongestBrokerCall});  // calls have deadlines of their own
}

base::Result<std::unique_ptr<http::Transport>> ConnectTls(const std::string& address,
                                                          std::uint16_t port,
                                                          const http::TlsSettings& tls) {
  return http::MakeBeastTransport(
      {.tls = true, .address = address, .port = port, .host_header = tls.server_name}, tls,
      {.keep = 2,
       .connect_timeout = std::chrono::seconds(2),
       .idle_timeout = act::kLongestBrokerCall});
}

// All parts of the daemon, each made before those that use it. Started and stopped by a Manager.
class Daemon {
 public:
  Daemon(const RunOptions& options, kube::ClusterConfig config, const std::string& pod_name,
         base::Logger& logger);

  void AddTo(runtime::Manager& manager);
  // Called once, from another thread, when the lease is lost.
  std::function<void()> on_lost;

 private:
  base::Result<void> StartServing();
  base::Result<void> WaitForRights(const std::stop_token& stop);
  base::Result<void> FillCaches(const std::stop_token& stop);
  void Lead();
  void OnChange(const kube::ObjectKey& cluster, observe::Cause cause);
  void OnNews(const kube::ObjectKey& cluster, observe::News news);
  http::Response Answer(const http::Request& request);
  // Waits on real time; false when a stop was requested.
  bool Pause(base::Duration time, const std::stop_token& stop);

  const RunOptions options_;
  const std::string origin_;  // of the API server's configuration
  base::Logger& logger_;
  base::RealClock clock_;
  base::SystemRandom random_;
  runtime::Registry metrics_;
  runtime::ProcessMetrics process_metrics_{metrics_};
  runtime::Health health_;
  runtime::ClientMetrics client_metrics_;
  runtime::WatchMetrics watch_metrics_{metrics_};
  ApiAccess api_;
  runtime::Fence fence_;
  runtime::EventRecorder events_;
  observe::Connections connections_{ConnectPlain, ConnectTls};
  observe::BrokerWatch brokers_;
  observe::ProxyWatch proxies_;
  observe::Caches caches_;
  observe::Observer observer_;
  act::Executor executor_;
  ClusterReconciler reconciler_;
  runtime::Controller controller_;
  runtime::Elector elector_;
  std::unique_ptr<http::Server> server_;
  base::Mutex mutex_;
  base::CondVar wake_;
  std::optional<std::string> rights_trouble_ RABBIT_GUARDED_BY(mutex_) = "not asked yet";
};

runtime::ElectorOptions ElectorOptionsOf(const RunOptions& options, std::string pod_name,
                                         base::Random& random) {
  return {.lease = {options.lease_namespace, options.lease_name},
          .identity = std::move(pod_name) + "_" + base::RandomAlphanumeric(random, 8),
          .timing = options.lease};
}

Daemon::Daemon(const RunOptions& options, kube::ClusterConfig config, const std::string& pod_name,
               base::Logger& logger)
    : options_(options),
      origin_(config.origin),
      logger_(logger),
      client_metrics_(metrics_, config.server.host),
      api_(std::move(config), clock_, logger, &client_metrics_, options.workers),
      fence_(options.lease.lease - options.lease.renew),
      events_(api_.calls(), fence_, clock_, metrics_, logger, {.instance = pod_name}),
      brokers_(clock_, random_,
               {.read =
                    [this](const observe::BrokerTarget& target, const observe::BrokerLook& before,
                           const std::stop_token& stop) {
                      return observe::LookAtBroker(connections_, clock_, target, before, stop);
                    },
                .compare = [](const observe::BrokerLook& a,
                              const observe::BrokerLook& b) { return observe::Compare(a, b); },
                .on_news = [this](const kube::ObjectKey& key,
                                  observe::News news) { OnNews(key, news); }},
               {.looks_per_second = options.looks_per_second}),
      proxies_(clock_, random_,
               {.read =
                    [this](const observe::ProxyTarget& target, const observe::ProxyLooks&,
                           const std::stop_token& stop) {
                      return observe::LookAtProxies(connections_, clock_, target, stop);
                    },
                .compare = [](const observe::ProxyLooks& a,
                              const observe::ProxyLooks& b) { return observe::Compare(a, b); },
                .on_news = [this](const kube::ObjectKey& key,
                                  observe::News news) { OnNews(key, news); }},
               {.looks_per_second = options.looks_per_second}),
      caches_(api_.watches(), clock_, random_, logger, &watch_metrics_,
              {.ns = options.ns, .watch = {}, .lasting_trouble = options.copies_good_for},
              [this](const kube::ObjectKey& key, observe::Cause cause) { OnChange(key, cause); }),
      observer_(api_.calls(), caches_, brokers_, proxies_, clock_, options.settings.cluster_domain),
      executor_(
          api_.calls(), connections_,
          [this](const kube::ObjectKey& pod, const std::string& container,
                 const std::vector<std::string>& command, const base::Secret& input,
                 const http::CallOptions& call) {
            return api_.exec().Run(
                {.pod = pod, .container = container, .words = command, .input = input}, call);
          },
          fence_, clock_, random_),
      reconciler_({.client = api_.calls(),
                   .caches = caches_,
                   .observer = observer_,
                   .brokers = brokers_,
                   .executor = executor_,
                   .events = events_,
                   .fence = fence_,
                   .clock = clock_,
                   .logger = logger},
                  options.settings),
      controller_(reconciler_, clock_, random_, metrics_, logger,
                  {.workers = options.workers, .backoff = {.cap = std::chrono::seconds(30)}}),
      elector_(api_.lease(), fence_, clock_, random_, metrics_, logger,
               ElectorOptionsOf(options, pod_name, random_),
               {.on_leading = [this] { Lead(); },
                .on_lost =
                    [this](const std::string&) {
                      // No grace: what runs ends now, not when the manager comes to it.
                      controller_.Stop({}, {});
                      on_lost();
                    }}) {
  health_.Add(runtime::Health::Kind::kLive, "lease", [this] { return elector_.Unhealthy(); });
  if (options.leader_election) {
    health_.Add(runtime::Health::Kind::kReady, "lease", [this] { return elector_.Trouble(); });
  }
  health_.Add(runtime::Health::Kind::kReady, "rights", [this] {
    base::MutexLock lock(mutex_);
    return rights_trouble_;
  });
  health_.Add(runtime::Health::Kind::kReady, "caches", [this] { return caches_.Missing(); });
}

void Daemon::AddTo(runtime::Manager& manager) {
  manager.Add({.name = "server",
               .start = [this](const std::stop_token&) { return StartServing(); },
               .stop =
                   [this](base::TimePoint) {
                     if (!server_->Stop(std::chrono::milliseconds(200))) {
                       logger_.Warn("a request was cut off", {});
                     }
                   },
               .stop_within = std::chrono::milliseconds(500),
               .stop_share = kShareOfServing,
               .stop_stage = kStopServing});
  manager.Add({.name = "rights",
               .start = [this](const std::stop_token& stop) { return WaitForRights(stop); },
               .start_within = kUntilStopped,
               .stop = {}});
  manager.Add({.name = "caches",
               .start = [this](const std::stop_token& stop) { return FillCaches(stop); },
               .start_within = kUntilStopped,
               .stop = [this](base::TimePoint) { caches_.Stop(); },
               .stop_within = std::chrono::seconds(1),
               .stop_share = kShareOfLooking,
               .stop_stage = kStopLooking});
  manager.Add({.name = "pollers",
               .start = [this](const std::stop_token&) -> base::Result<void> {
                 brokers_.Start(options_.pollers);
                 proxies_.Start(2);
                 return {};
               },
               .stop =
                   [this](base::TimePoint) {
                     brokers_.Stop();
                     proxies_.Stop();
                   },
               .stop_within = std::chrono::seconds(1),
               .stop_share = kShareOfLooking,
               .stop_stage = kStopLooking});
  manager.Add({.name = "events",
               .start = [this](const std::stop_token&) -> base::Result<void> {
                 events_.Start();
                 return {};
               },
               .stop =
                   [this](base::TimePoint deadline) {
                     events_.Stop(std::min(deadline, clock_.Now() + kFlushEvents));
                   },
               .stop_within = kFlushEvents * 2,
               .stop_share = kShareOfEvents,
               .stop_stage = kStopTelling});
  manager.Add({.name = "leader election",
               .start = [this](const std::stop_token&) -> base::Result<void> {
                 if (options_.leader_election) {
                   elector_.Start();
                 } else {
                   fence_.OpenUntil(base::TimePoint::max());
                   Lead();
                 }
                 return {};
               },
               .stop =
                   [this](base::TimePoint deadline) {
                     if (auto released =
                             elector_.Release(std::min(deadline, clock_.Now() + kReleaseLease));
                         !released) {
                       logger_.Warn("the lease was not released; it runs out by itself",
                                    {{"error", released.error().message}});
                     }
                   },
               .stop_within = kReleaseLease * 2,
               .stop_share = kReleaseLease,
               .stop_stage = kStopLeading,
               .stop_only_after_rest = true});
  manager.Add({.name = "workers",
               .start = {},  // when we lead
               // Returns in time only when nothing writes any more: else the lease is kept. What
               // ends within the grace tells its outcome, status and events. What is cut off after
               // it sends nothing more, on purpose: it would tell of our end, not of the cluster,
               // and whoever leads next looks at every cluster anew.
               .stop = [this](base::TimePoint) { controller_.Stop(kFinishReconciles, kNeverMind); },
               .stop_within = std::chrono::seconds(3),
               .stop_stage = kStopWork});
}

base::Result<void> Daemon::StartServing() {
  auto server =
      http::Server::Start({.address = options_.http_address, .port = options_.http_port},
                          [this](const http::Request& request, http::ResponseWriter& writer) {
                            // A client that has gone needs no answer.
                            static_cast<void>(writer.Send(Answer(request)));
                          });
  if (!server) return tl::unexpected(server.error());
  server_ = std::move(*server);
  logger_.Info("serving health and metrics", {{"port", server_->port()}});
  return {};
}

base::Result<void> Daemon::WaitForRights(const std::stop_token& stop) {
  Refusals refusals(options_.refusal_final_after);
  for (base::Duration pause = std::chrono::milliseconds(200); !stop.stop_requested();
       pause = std::min<base::Duration>(pause * 2, std::chrono::seconds(15))) {
    const auto call = [&] {
      return http::CallOptions{.deadline = clock_.Now() + std::chrono::seconds(20), .stop = stop};
    };
    auto rights = CheckRights(api_.calls(), NeededRights(), options_.ns, call);
    if (rights && options_.leader_election) {
      rights = CheckRights(api_.calls(), LeaseRights(), options_.lease_namespace, call);
    }
    {
      base::MutexLock lock(mutex_);
      rights_trouble_.reset();
      if (!rights) rights_trouble_ = rights.error().message;
    }
    if (rights) return {};
    if (refusals.IsFinal(rights.error(), clock_.Now())) {
      return base::FailWrapped(rights.error(), origin_);
    }
    const bool refused = IsRefusal(rights.error());
    logger_.Warn(refused ? "the API server refuses, or does not know our rights yet"
                         : "the API server does not answer yet",
                 {{"configuration", origin_}, {"error", rights.error().message}});
    if (refused) pause = std::min<base::Duration>(pause, std::chrono::seconds(1));
    if (!Pause(pause, stop)) break;
  }
  return base::Fail(base::ErrorKind::kCancelled, "stopped");
}

base::Result<void> Daemon::FillCaches(const std::stop_token& stop) {
  caches_.Start();
  while (!caches_.HasSynced()) {
    if (!Pause(std::chrono::milliseconds(10), stop)) {
      caches_.Stop();  // a part that failed to start is not stopped by the manager
      return base::Fail(base::ErrorKind::kCancelled, "stopped");
    }
  }
  logger_.Info("caches are filled", {{"clusters", caches_.clusters()}});
  DropStartupPages();
  return {};
}

void Daemon::OnChange(const kube::ObjectKey& cluster, observe::Cause cause) {
  switch (cause) {
    case observe::Cause::kDeclaration:
      return controller_.Add(cluster);
    case observe::Cause::kChild:
      return controller_.AddAfter(cluster, kBurst);
    case observe::Cause::kArrival:
      return controller_.AddAfter(cluster, kNoHurry);
    case observe::Cause::kStatus:
      return reconciler_.StatusIsSeen(cluster);
  }
}

void Daemon::OnNews(const kube::ObjectKey& cluster, observe::News news) {
  controller_.AddAfter(cluster, news == observe::News::kNow ? base::Duration::zero() : kNoHurry);
}

void Daemon::Lead() {
  logger_.Info("this operator works", {});
  controller_.Start();
}

http::Response Daemon::Answer(const http::Request& request) {
  const auto text = [](int status, std::string body) {
    return http::Response{.status = status,
                          .headers = {{"Content-Type", "text/plain; version=0.0.4"}},
                          .body = std::move(body)};
  };
  if (request.target == "/metrics") {
    process_metrics_.Update();
    controller_.UpdateMetrics();
    return text(200, metrics_.Text());
  }
  if (request.target == "/healthz" || request.target == "/livez") {
    auto report = health_.Look(runtime::Health::Kind::kLive);
    return text(report.ok ? 200 : 503, std::move(report.text));
  }
  if (request.target == "/readyz") {
    auto report = health_.Look(runtime::Health::Kind::kReady);
    return text(report.ok ? 200 : 503, std::move(report.text));
  }
  return text(404, "there are /healthz, /readyz and /metrics\n");
}

bool Daemon::Pause(base::Duration time, const std::stop_token& stop) {
  const base::TimePoint until = clock_.Now() + time;
  base::MutexLock lock(mutex_);
  while (!stop.stop_requested() && clock_.Now() < until) wake_.WaitUntil(mutex_, stop, until);
  return !stop.stop_requested();
}

int Refuse(const std::string& message) {
  std::fprintf(stderr, "rabbit-operator: %s\n", message.c_str());
  return kExitUsage;
}

}  // namespace

int Run(const RunOptions& given, const Environment& environment) {
  TuneAllocator();
  RaiseDescriptorLimit();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto config = LoadConfig(given, environment);
  if (!config) return Refuse(config.error().message);
  RunOptions options = given;
  const std::string pod_name = environment("POD_NAME").value_or("rabbit-operator");
  auto lease_namespace = LeaseNamespace(options, *config, environment);
  if (!lease_namespace) return Refuse(lease_namespace.error().message);
  options.lease_namespace = *std::move(lease_namespace);
  const std::unique_ptr<base::Logger> logger =
      base::MakeLogger(options.log_level, options.log_format);
  logger->Info("starting", {{"api_server", config->origin}});

  // Leaving has one way only: a signal, also when we send it to ourselves.
  std::stop_source stop;
  std::atomic<bool> lost = false;
  std::jthread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    stop.request_stop();
  });
  const auto leave = [] { kill(getpid(), SIGTERM); };

  Daemon daemon(options, std::move(*config), pod_name, *logger);
  daemon.on_lost = [&] {
    lost = true;
    leave();
  };
  base::RealClock clock;
  runtime::Manager manager(clock, *logger);
  daemon.AddTo(manager);

  const auto started = manager.Start(stop.get_token());
  const bool refused = !started && started.error().kind != base::ErrorKind::kCancelled;
  if (refused) leave();
  waiter.join();
  logger->Info("stopping", {});
  runtime::StopBounds bounds{.together = kStopTogether};
  if (lost) bounds.each = std::chrono::seconds(1);
  const bool at_rest = manager.Stop(bounds);
  int code = lost ? kExitAgain : 0;
  if (refused) code = Refuse(started.error().message);
  if (!at_rest) _exit(code == 0 ? kExitAgain : code);
  return code;
}

}  // namespace rabbit::commands
