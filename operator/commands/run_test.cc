// The daemon whole, against an API server of one page. Run() wants a process of its own: each test
// runs it in a child, whose exit code says how it went.
#include "operator/commands/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <latch>
#include <sstream>
#include <thread>

#include "base/mutex.h"
#include "http/beast_transport.h"
#include "http/server.h"
#include "http/test_support.h"

namespace rabbit::commands {
namespace {

constexpr int kGood = 42;
constexpr int kBad = 43;
constexpr int kHangs = 44;

constexpr std::string_view kOneCluster =
    R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",
        "metadata":{"name":"c","namespace":"ns","uid":"u","resourceVersion":"1","generation":1},
        "spec":{}})";

int Check(bool good) { return good ? kGood : kBad; }

// What is no API server, or not ours: one answer to everything.
struct Refusing {
  std::string_view what;
  http::Response answer;
  std::string_view told;
};

// Grants every right (after `denials` refusals), lists what it is given, and keeps one Lease.
class ApiServer {
 public:
  std::atomic<int> denials = 0;
  std::optional<http::Response> only_answer;
  std::string clusters;                // items of the list of RabbitClusters
  bool has_lease_namespace = true;     // of the Lease
  std::atomic<bool> released = false;  // the Lease, in order
  std::atomic<bool> stolen = false;    // the Lease is somebody else's from now on
  std::function<void()> on_create{};   // a child is made: never answered
  std::latch held{1};                  // the Lease was made

  void Start() {
    server_ = http::Server::Start({.address = "127.0.0.1", .max_threads = 32},
                                  [this](const http::Request& request,
                                         http::ResponseWriter& writer) { Answer(request, writer); })
                  .value();
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  // Nobody listens any more, and what was open is closed.
  void Stop() { static_cast<void>(server_->Stop(std::chrono::milliseconds(200))); }

 private:
  static void Wait(const http::ResponseWriter& writer) {
    base::Mutex mutex;
    base::CondVar never;
    const base::MutexLock lock(mutex);
    const std::stop_token stop = writer.stop();
    while (!stop.stop_requested()) never.WaitUntil(mutex, stop, http::InTime());
  }
  static std::string Refusal(const std::string& reason) {
    return R"({"kind":"Status","status":"Failure","reason":")" + reason + "\"}";
  }
  static std::string Lease(const std::string& holder) {
    return R"({"metadata":{"name":"rabbit-operator","namespace":"default","resourceVersion":"1"},
      "spec":{"leaseDurationSeconds":2,"holderIdentity":")" +
           holder + "\"}}";
  }
  void Answer(const http::Request& request, http::ResponseWriter& writer) {
    if (only_answer) return static_cast<void>(writer.Send(*only_answer));
    const auto send = [&writer](int status, const std::string& body) {
      static_cast<void>(writer.Send({status, {{"Content-Type", "application/json"}}, body}));
    };
    const auto asks = [&request](std::string_view part) {
      return request.target.find(part) != std::string::npos;
    };
    if (asks("selfsubjectaccessreviews")) {
      if (denials-- > 0) return send(401, Refusal("Unauthorized"));
      return send(201, R"({"status":{"allowed":true}})");
    }
    if (asks("/leases")) {
      if (request.method == http::Method::kGet) {
        if (stolen) return send(200, Lease("thief"));
        return send(404, Refusal("NotFound"));
      }
      if (stolen) return send(409, Refusal("Conflict"));
      if (!has_lease_namespace) return send(404, Refusal("NotFound"));
      if (request.method == http::Method::kPost) held.count_down();
      constexpr std::string_view kHolder = "\"holderIdentity\":\"";
      const std::string body = request.body.substr(request.body.find(kHolder) + kHolder.size());
      const std::string holder = body.substr(0, body.find('"'));
      released = holder.empty();
      return send(200, Lease(holder));
    }
    if (request.method == http::Method::kPost && asks("/namespaces/ns/")) {
      if (on_create) on_create();
      return Wait(writer);
    }
    if (asks("watch=")) {
      static_cast<void>(writer.Start({200, {{"Content-Type", "application/json"}}}));
      return Wait(writer);
    }
    if (asks("limit=")) {
      return send(200, R"({"metadata":{"resourceVersion":"1"},"items":[)" +
                           (asks("rabbitclusters") ? clusters : "") + "]}");
    }
    send(404, Refusal("NotFound"));
  }

  std::unique_ptr<http::Server> server_;
};

class RunDeathTest : public testing::Test {
 protected:
  RunDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  // In the child: the exit code of Run(), beside which `meanwhile` runs on a thread of its own.
  static int RunAgainst(ApiServer& server,
                        const std::function<void(std::uint16_t port)>& meanwhile = {},
                        RunOptions options = {}, const std::string& scheme = "http") {
    sigset_t signals;  // Run() waits for them on its own thread
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    server.Start();
    options.kubeconfig = testing::TempDir() + "/kubeconfig-" + std::to_string(getpid());
    std::ofstream(options.kubeconfig)
        << R"({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c"}}],
               "clusters": [{"name": "c", "cluster": {"server": ")"
        << scheme << "://127.0.0.1:" << server.port() << "\"}}]}";
    options.lease_namespace = "default";
    options.http_address = "127.0.0.1";
    options.http_port = FreePort();
    options.lease = {.lease = std::chrono::seconds(2),
                     .renew = std::chrono::seconds(1),
                     .retry = std::chrono::milliseconds(100)};
    std::jthread watchdog([](const std::stop_token& stop) {
      const base::TimePoint until = http::InTime();
      base::Mutex mutex;
      base::CondVar never;
      const base::MutexLock lock(mutex);
      while (!stop.stop_requested()) {
        if (base::RealClock().Now() >= until) std::_Exit(kHangs);
        never.WaitUntil(mutex, stop, until);
      }
    });
    std::jthread beside([&] {
      if (meanwhile) meanwhile(options.http_port);
    });
    return commands::Run(options, [](const std::string&) { return std::nullopt; });
  }
  static http::Response Ask(std::uint16_t port, const std::string& target) {
    const auto transport = http::MakeBeastTransport({false, "127.0.0.1", port, ""}, {}).value();
    return transport->Send({.target = target}, http::Soon()).value_or(http::Response());
  }
  static std::string Get(std::uint16_t port, const std::string& target) {
    return Ask(port, target).body;
  }
  // Asks until the answer holds `part`.
  static bool Await(std::uint16_t port, const std::string& target, const std::string& part) {
    base::Mutex mutex;
    base::CondVar never;
    for (const base::TimePoint until = http::InTime(); base::RealClock().Now() < until;) {
      if (Get(port, target).find(part) != std::string::npos) return true;
      const base::MutexLock lock(mutex);
      never.WaitUntil(mutex, http::In(std::chrono::milliseconds(10)));
    }
    return false;
  }
  static void Terminate() { kill(getpid(), SIGTERM); }

 private:
  static std::uint16_t FreePort() {
    return http::Server::Start({.address = "127.0.0.1"}, [](const auto&, auto&) {}).value()->port();
  }
};

TEST_F(RunDeathTest, ALostLeaseEndsWhatRunsAtOnceAndComesToRest) {
  EXPECT_EXIT(
      {
        ApiServer server;
        server.clusters = kOneCluster;
        server.on_create = [&server] { server.stolen = true; };  // in the middle of a reconcile
        // What does not come to rest leaves by _exit, and never comes back here.
        const int code = RunAgainst(server);
        std::_Exit(Check(code == kExitAgain && server.stolen));
      },
      testing::ExitedWithCode(kGood), "not renewed|Lease was taken");
}

TEST_F(RunDeathTest, ADenialOfAnApiServerThatIsStartingIsNotFinal) {
  EXPECT_EXIT(
      {
        ApiServer server;
        server.denials = 4;  // each question is asked twice after a 401
        const int code = RunAgainst(server, [&server](std::uint16_t) {
          server.held.wait();
          Terminate();
        });
        std::_Exit(Check(code == 0));
      },
      testing::ExitedWithCode(kGood), "does not know our rights yet");
}

TEST_F(RunDeathTest, ARefusalThatLastsNamesTheConfiguration) {
  const std::vector<Refusing> cases = {
      {"a wrong token", {401, {}, R"({"kind":"Status","reason":"Unauthorized"})"}, "401 Unauth"},
      {"no API server", {404, {}, "not here"}, "404: not here"},
      {"a login page behind a redirect", {302, {{"Location", "/login"}}, ""}, "302"},
      {"a page", {200, {}, "<html>"}, "JSON"},
  };
  for (const Refusing& refusing : cases) {
    SCOPED_TRACE(refusing.what);
    EXPECT_EXIT(
        {
          ApiServer server;
          server.only_answer = refusing.answer;
          RunOptions options;
          options.refusal_final_after = std::chrono::milliseconds(100);
          std::_Exit(Check(RunAgainst(server, {}, options) == kExitUsage));
        },
        testing::ExitedWithCode(kGood),
        "rabbit-operator: rights: context c of .*kubeconfig-.*: ask for our rights: .*" +
            std::string(refusing.told));
  }
}

TEST_F(RunDeathTest, WhatSpeaksNoTlsIsNotWaitedForEither) {
  EXPECT_EXIT(
      {
        ApiServer server;
        RunOptions options;
        options.refusal_final_after = std::chrono::milliseconds(100);
        std::_Exit(Check(RunAgainst(server, {}, options, "https") == kExitUsage));
      },
      testing::ExitedWithCode(kGood),
      "rabbit-operator: rights: context c of .*TLS handshake: wrong version number");
}

TEST_F(RunDeathTest, ALeaseNamespaceThatIsMissingIsNotReady) {
  EXPECT_EXIT(
      {
        ApiServer server;
        server.has_lease_namespace = false;
        std::atomic<bool> told = false;
        const int code = RunAgainst(server, [&told](std::uint16_t port) {
          told = Await(port, "/readyz", "[-]lease failed: create Lease in default: 404");
          Terminate();
        });
        std::_Exit(Check(code == 0 && told));
      },
      testing::ExitedWithCode(kGood), "lease call failed");
}

// Whoever cannot renew must not go on; started again it waits for the API server.
TEST_F(RunDeathTest, AnApiServerThatIsGoneEndsWhoLeads) {
  EXPECT_EXIT(
      {
        ApiServer server;
        const int code = RunAgainst(server, [&server](std::uint16_t port) {
          server.held.wait();
          static_cast<void>(Await(port, "/readyz", "[+]caches ok"));
          server.Stop();
        });
        std::_Exit(Check(code == kExitAgain));
      },
      testing::ExitedWithCode(kGood), "not renewed in time");
}

TEST_F(RunDeathTest, ATerminationInTheMiddleOfAReconcileReleasesTheLease) {
  EXPECT_EXIT(
      {
        ApiServer server;
        server.clusters = kOneCluster;
        server.on_create = [] { Terminate(); };  // and the call is never answered
        const int code = RunAgainst(server);     // kExitAgain when it did not come to rest in time
        std::_Exit(Check(code == 0 && server.released));
      },
      testing::ExitedWithCode(kGood), "stopping");
}

TEST_F(RunDeathTest, AnApiServerThatIsGoneIsNotReadyButNoReasonForARestart) {
  EXPECT_EXIT(
      {
        ApiServer server;
        bool told = false;
        RunOptions options;
        options.leader_election = false;  // the lease would end the process
        options.copies_good_for = std::chrono::milliseconds(200);
        const auto meanwhile = [&](std::uint16_t port) {
          if (Await(port, "/readyz", "[+]caches ok")) {
            server.Stop();
            // Whoever is told of the end of its connection first is refused the next.
            told = Await(port, "/readyz", "[-]caches failed: copies may be out of date: cannot") &&
                   Await(port, "/readyz", "refused") && Ask(port, "/readyz").status == 503 &&
                   Ask(port, "/healthz").status == 200;
          }
          std::cerr << Get(port, "/readyz") << "\n";
          Terminate();
        };
        const int code = RunAgainst(server, meanwhile, options);
        std::_Exit(Check(code == 0 && told));
      },
      testing::ExitedWithCode(kGood), "copies may be out of date: cannot .*refused");
}

// Nobody should have to read the source for what /metrics shows.
TEST_F(RunDeathTest, TheReferenceNamesEveryMetric) {
  EXPECT_EXIT(
      {
        ApiServer server;
        std::string metrics;
        const int code = RunAgainst(server, [&](std::uint16_t port) {
          server.held.wait();
          if (Await(port, "/readyz", "ok")) metrics = Get(port, "/metrics");
          Terminate();
        });
        std::ifstream file(std::string(RABBIT_SOURCE_DIR) + "/docs/reference/metrics.md");
        std::stringstream page;
        page << file.rdbuf();
        bool good = code == 0 && !metrics.empty();
        std::istringstream lines(metrics);
        for (std::string line; std::getline(lines, line);) {
          if (!line.starts_with("# HELP ")) continue;
          const std::string name = line.substr(7, line.find(' ', 7) - 7);
          if (page.str().find("| `" + name + "` |") != std::string::npos) continue;
          std::cerr << "not in the reference: " << line << "\n";
          good = false;
        }
        std::_Exit(Check(good));
      },
      testing::ExitedWithCode(kGood), "");
}

}  // namespace
}  // namespace rabbit::commands
