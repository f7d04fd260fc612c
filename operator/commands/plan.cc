#include "operator/commands/plan.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "http/beast_transport.h"
#include "kube/port_forward.h"
#include "operator/api/parse.h"
#include "operator/commands/api_access.h"
#include "operator/commands/dry_run.h"
#include "operator/commands/look.h"
#include "operator/commands/manifest.h"
#include "operator/commands/print_plan.h"
#include "operator/commands/read_only.h"
#include "operator/plan/make_plan.h"

namespace rabbit::commands {
namespace {

using base::ErrorKind;
using base::Result;
using std::chrono::seconds;

constexpr seconds kCall{30};
constexpr std::size_t kLongestFile = 16 << 20;

Result<std::string> ReadAll(std::FILE* file) {
  std::string text;
  std::array<char, 16 << 10> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file)) {
    text.append(buffer.data(), got);
    if (text.size() > kLongestFile) return base::Fail(ErrorKind::kInvalid, "is too long");
  }
  if (std::ferror(file) != 0) return base::Fail(ErrorKind::kInvalid, "cannot be read");
  return text;
}

Result<std::string> ReadInput(const std::string& name, std::FILE* input) {
  if (name == "-") return ReadAll(input);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(name.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return base::Fail(ErrorKind::kInvalid, "cannot be opened");
  return ReadAll(file.get());
}

// A transport of its own, behind a guard.
class Guarded final : public http::Transport {
 public:
  explicit Guarded(std::unique_ptr<http::Transport> transport)
      : transport_(std::move(transport)), guard_(*transport_) {}
  Result<http::Response> Send(const http::Request& request,
                              const http::CallOptions& options) override {
    return guard_.Send(request, options);
  }
  Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                      http::BodySink& sink) override {
    return guard_.Stream(request, options, sink);
  }
  [[nodiscard]] std::string PeerCertificate() const override {
    return transport_->PeerCertificate();
  }

 private:
  const std::unique_ptr<http::Transport> transport_;
  ReadOnlyTransport guard_;
};

class Planner {
 public:
  Planner(const PlanOptions& options, UserConfig config)
      : options_(options),
        in_cluster_(config.in_cluster),
        ns_(options.ns.empty() ? config.config.default_namespace : options.ns),
        logger_(base::MakeLogger(base::LogLevel::kError, base::LogFormat::kText)),
        sockets_(kube::WebSocketsTo(config.config, resolver_)),
        api_(std::move(config.config), clock_, *logger_, nullptr, 4),
        guard_(api_.call_transport()),
        client_(guard_, api_.credentials(), nullptr),
        looker_(
            client_, clock_, random_, *logger_,
            [this](const kube::ObjectKey& pod, const std::string& address, std::uint16_t port,
                   const http::TlsSettings* tls) { return Connect(pod, address, port, tls); },
            options.settings.cluster_domain) {}

  [[nodiscard]] const std::string& ns() const { return ns_; }

  // The cluster as it stands.
  Result<ClusterPlan> OfName(const std::string& name) {
    const auto text = client_.Get(api::kRabbitClusters, {ns_, name}, Call());
    if (!text) return tl::unexpected(text.error());
    return Make(*text, {});
  }

  // The cluster as an apply of the document would leave it.
  Result<ClusterPlan> OfDocument(const Manifest& manifest, const Manifest::Document& document) {
    auto applied = DryRunApply(client_, document, Call());
    if (!applied) {
      return base::FailWrapped(applied.error(), "RabbitCluster " + document.key.ToString());
    }
    auto made = Make(applied->after, manifest.secrets);
    if (!made) return made;
    made->is_new = applied->before.empty();
    if (!made->is_new) made->declared = DeclaredDifferences(applied->before, applied->after);
    if (!applied->note.empty()) made->notes.push_back(std::move(applied->note));
    return made;
  }

 private:
  [[nodiscard]] http::CallOptions Call() const {
    return {.deadline = clock_.Now() + kCall, .stop = {}};
  }

  Result<ClusterPlan> Make(const std::string& text,
                           const std::map<kube::ObjectKey, observe::SecretView>& secrets) {
    auto cluster = api::ParseRabbitCluster(text);
    if (!cluster) return tl::unexpected(cluster.error());
    auto look = looker_.At(*cluster, secrets);
    if (!look) return tl::unexpected(look.error());
    ClusterPlan made{.cluster = std::move(*cluster), .file = {}, .plan = {}};
    made.broker = std::move(look->broker);
    made.broker_trouble = std::move(look->broker_trouble);
    plan::PlanMemo memo;
    made.plan = plan::MakePlan(made.cluster, look->seen, options_.settings, memo, clock_.Now());
    for (const plan::Step& step : made.plan.steps) {
      made.steps.push_back(ChangesOf(step, made.cluster, look->seen));
    }
    for (const plan::Step& step : made.plan.held) {
      made.held.push_back(ChangesOf(step, made.cluster, look->seen));
    }
    return made;
  }

  // In the cluster as the operator does; from elsewhere addresses of pods may lead nowhere.
  Result<std::unique_ptr<http::Transport>> Connect(const kube::ObjectKey& pod,
                                                   const std::string& address, std::uint16_t port,
                                                   const http::TlsSettings* tls) {
    // The way through the API server has TLS of its own, and carries none within: a broker is asked
    // on its plain port, where it has one.
    if (tls != nullptr && !in_cluster_) port = observe::kManagementPort;
    const http::Endpoint endpoint{.tls = tls != nullptr,
                                  .address = address,
                                  .port = port,
                                  .host_header = tls != nullptr ? tls->server_name : address};
    Result<std::unique_ptr<http::Transport>> made =
        in_cluster_
            ? http::MakeBeastTransport(endpoint, tls != nullptr ? *tls : http::TlsSettings{},
                                       {.keep = 1, .connect_timeout = seconds(2)})
            : kube::MakePortForwardTransport(sockets_, api_.credentials(), pod, port);
    if (!made) return made;
    return std::make_unique<Guarded>(std::move(*made));
  }

  const PlanOptions& options_;
  const bool in_cluster_;
  const std::string ns_;
  base::RealClock clock_;
  base::SystemRandom random_;
  const std::unique_ptr<base::Logger> logger_;
  http::Resolver resolver_;
  const kube::OpenFunction sockets_;
  ApiAccess api_;
  ReadOnlyTransport guard_;
  kube::Client client_;
  Looker looker_;
};

bool WantsColours(const Environment& environment, bool terminal) {
  const auto no_color = environment("NO_COLOR");
  return terminal && (!no_color || no_color->empty()) && environment("TERM") != "dumb";
}

Result<std::vector<ClusterPlan>> MakePlans(const PlanOptions& options, Planner& planner,
                                           const std::string& file_text) {
  std::vector<ClusterPlan> plans;
  if (options.file.empty()) {
    auto made = planner.OfName(options.name);
    if (!made) return tl::unexpected(made.error());
    plans.push_back(std::move(*made));
    return plans;
  }
  const std::string file = options.file == "-" ? "standard input" : options.file;
  const auto manifest = ParseManifest(file_text, planner.ns(), options.ns);
  if (!manifest) return base::FailWrapped(manifest.error(), file);
  for (const Manifest::Document& document : manifest->clusters) {
    auto made = planner.OfDocument(*manifest, document);
    if (!made) return base::FailWrapped(made.error(), file);
    made->file = file;
    plans.push_back(std::move(*made));
  }
  return plans;
}

std::string OneLine(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

Output Plan(const PlanOptions& options, const Environment& environment, bool terminal,
            std::FILE* input) {
  const auto refuse = [](const std::string& message) {
    return Output{
        .out = {}, .error = "rabbit-operator: " + OneLine(message) + "\n", .exit_code = kExitUsage};
  };
  std::string text;
  if (!options.file.empty()) {
    auto read = ReadInput(options.file, input);
    if (!read) return refuse(options.file + ": " + read.error().message);
    text = std::move(*read);
  }
  auto config = LoadUserConfig(options.kubeconfig, options.context, environment);
  if (!config) return refuse(config.error().message);
  Planner planner(options, std::move(*config));
  const auto plans = MakePlans(options, planner, text);
  if (!plans) return refuse(plans.error().message);
  Output output;
  if (options.json) output.out = PrintJson(*plans);
  const bool colours = WantsColours(environment, terminal);
  for (const ClusterPlan& plan : *plans) {
    output.exit_code = std::max(output.exit_code, ExitCodeOf(plan));
    if (options.json) continue;
    if (!output.out.empty()) output.out += '\n';
    output.out += PrintPlan(plan, colours);
  }
  return output;
}

}  // namespace rabbit::commands
