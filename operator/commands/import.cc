#include "operator/commands/import.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/yaml.h"
#include "http/beast_transport.h"
#include "http/resolve.h"
#include "kube/credentials.h"
#include "rabbitmq/client.h"

namespace rabbit::commands {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Result;

constexpr std::chrono::seconds kImportTime(60);
constexpr const char* kFirstUser = "guest";  // of a broker that nobody configured

struct Login {
  std::string user;
  base::Secret password;
};

Result<Login> LoginOf(const ImportOptions& options, const Environment& environment) {
  Login login{.user = options.username, .password = {}};
  if (login.user.empty()) login.user = environment(kUsernameVariable).value_or(kFirstUser);
  if (!options.password_file.empty()) {
    auto content = kube::ReadFile(options.password_file);
    if (!content) return Fail(ErrorKind::kInvalid, "--password-file: " + content.error().message);
    // As editors and echo end a file.
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    login.password = base::Secret(*std::move(content));
  } else {
    login.password = base::Secret(environment(kPasswordVariable).value_or(""));
  }
  if (login.password.empty()) {
    return Fail(ErrorKind::kInvalid, std::string("no password: name a file that holds it with "
                                                 "--password-file, or set ") +
                                         kPasswordVariable);
  }
  return login;
}

// A management API below a path, as behind a reverse proxy.
class BelowPath final : public http::Transport {
 public:
  BelowPath(std::unique_ptr<http::Transport> inner, std::string path)
      : inner_(std::move(inner)), path_(std::move(path)) {}

  Result<http::Response> Send(const http::Request& request,
                              const http::CallOptions& options) override {
    return inner_->Send(Below(request), options);
  }
  Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                      http::BodySink& sink) override {
    return inner_->Stream(Below(request), options, sink);
  }

 private:
  [[nodiscard]] http::Request Below(http::Request request) const {
    request.target.insert(0, path_);
    return request;
  }

  const std::unique_ptr<http::Transport> inner_;
  const std::string path_;
};

// Whether another address of the same name is worth a try.
bool IsUnreachable(const base::Error& error) {
  return error.kind == ErrorKind::kRetry && error.http_status == 0;
}

std::string Explained(const base::Error& error, const std::string& user) {
  if (rabbitmq::IsBadCredentials(error)) {
    return "the broker refuses user " + user + " with this password (" + error.message + ")";
  }
  if (error.kind == ErrorKind::kDenied) {
    return "user " + user + " may not read this, and needs the tag administrator (" +
           error.message + ")";
  }
  if (IsUnreachable(error)) return "cannot be reached: " + error.message;
  if (error.http_status >= 500) return error.message;
  return "what answers there is no management API of RabbitMQ: " + error.message;
}

}  // namespace

Result<ImportDocument> ImportFrom(const ImportOptions& options, const Environment& environment,
                                  base::TimePoint deadline) {
  const auto url = http::ParseUrl(options.from);
  if (!url) return Fail(ErrorKind::kInvalid, "--from: " + url.error().message);
  const auto login = LoginOf(options, environment);
  if (!login) return tl::unexpected(login.error());
  http::TlsSettings tls;
  if (url->tls) {
    if (options.ca_file.empty()) return Fail(ErrorKind::kInvalid, "https needs --ca-file");
    auto pem = kube::ReadFile(options.ca_file);
    if (!pem) return Fail(ErrorKind::kInvalid, "--ca-file: " + pem.error().message);
    tls.ca_pem = *std::move(pem);
    if (auto usable = http::CheckTls(tls); !usable) {
      return Fail(ErrorKind::kInvalid, "--ca-file: " + usable.error().message);
    }
  }

  http::Resolver resolver;
  const http::CallOptions call{.deadline = deadline};
  const auto addresses = resolver.ResolveIpv4(url->host, deadline, call.stop);
  if (!addresses) return base::FailWrapped(addresses.error(), options.from);
  base::Error last;
  for (const std::string& address : *addresses) {
    auto inner =
        http::MakeBeastTransport({.tls = url->tls,
                                  .address = address,
                                  .port = url->port,
                                  .host_header = url->host + ":" + std::to_string(url->port)},
                                 tls, {.keep = 1});
    if (!inner) return base::FailWrapped(inner.error(), options.from);
    BelowPath transport(*std::move(inner), url->path_prefix);
    rabbitmq::ManagementClient client(transport, login->user, login->password);
    // First who is there at all: what answers to lists is not always said as clearly.
    if (const auto overview = client.GetOverview(call); !overview) {
      last = overview.error();
      if (IsUnreachable(last)) continue;
      break;
    }
    const rabbitmq::BrokerView view = client.Read({.vhost_limits = true,
                                                   .user_limits = true,
                                                   .topic_permissions = true,
                                                   .operator_policies = true,
                                                   .queues = false,
                                                   .queues_of = {}},
                                                  call);
    auto made = DescribeBroker(view, {options.name, options.ns, options.from});
    if (made) return made;
    last = made.error();
    if (last.kind != ErrorKind::kDenied) return base::FailWrapped(last, options.from);
    break;
  }
  last.message = Explained(last, login->user);
  if (last.kind == ErrorKind::kInvalid) last.kind = ErrorKind::kInternal;  // no flag is wrong
  return base::FailWrapped(last, options.from);
}

std::optional<std::string> WhyServerSide(std::size_t bytes) {
  constexpr std::size_t kWithoutAWord = 200'000;
  if (bytes <= kWithoutAWord) return std::nullopt;
  return "the document has " + std::to_string(bytes / 1000) +
         " kB: apply it with kubectl apply --server-side, since without that flag a copy of it "
         "must fit into an annotation (256 KiB)";
}

int Import(const ImportOptions& options, const Environment& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto say = [](const std::string& line) {
    std::fprintf(stderr, "rabbit-operator: %s\n", base::OnOneLine(line).c_str());
  };
  const auto made = ImportFrom(options, environment, base::RealClock().Now() + kImportTime);
  if (!made) {
    say(made.error().message);
    return made.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitAgain;
  }
  for (const std::string& line : made->left_out) say("left out: " + line);
  const std::string& yaml = made->yaml;
  if (const auto why = WhyServerSide(yaml.size())) say(*why);
  const bool written =
      std::fwrite(yaml.data(), 1, yaml.size(), stdout) == yaml.size() && std::fflush(stdout) == 0;
  if (!written) say("standard output could not be written");
  return written ? 0 : kExitAgain;
}

}  // namespace rabbit::commands
