#include "haproxy/render.h"

#include <algorithm>

#include "base/hash.h"
#include "haproxy/stats.h"

namespace rabbit::haproxy {
namespace {

using std::chrono::milliseconds;

// Beyond the clients' connections: probes, scrapes and the statistics page are answered even when
// clients use up all theirs.
constexpr int kAdminConnections = 64;

// Where the CSV is when people are to have no page.
constexpr std::string_view kHiddenStatsPath = "/internal-stats";

// "3h", "5s", "1500ms": the largest unit that says it exactly.
std::string Time(milliseconds value) {
  const auto count = value.count();
  if (count % 3'600'000 == 0) return std::to_string(count / 3'600'000) + "h";
  if (count % 60'000 == 0) return std::to_string(count / 60'000) + "m";
  if (count % 1'000 == 0) return std::to_string(count / 1'000) + "s";
  return std::to_string(count) + "ms";
}

std::string_view Word(Balance balance) {
  switch (balance) {
    case Balance::kLeastConn:
      return "leastconn";
    case Balance::kRoundRobin:
      return "roundrobin";
    case Balance::kSource:
      return "source";
  }
  return "leastconn";
}

// Builds the text. Comments stand on lines of their own, above what they explain.
class Writer {
 public:
  void Section(std::string_view name) {
    text_ += '\n';
    text_.append(name) += '\n';
  }
  void Line(std::string_view directive) {
    text_ += "  ";
    text_.append(directive) += '\n';
  }
  void Line(std::string_view directive, std::string_view value) {
    Line(std::string(directive) + ' ' + std::string(value));
  }
  void Line(std::string_view directive, int value) { Line(directive, std::to_string(value)); }
  void Comment(std::string_view text) { Line("# " + std::string(text)); }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  std::string text_ =
      "# Written by rabbit-operator from the RabbitCluster's spec.loadBalancer.\n"
      "# A change made here is undone.\n";
};

// Looks come faster while a server is between up and down, and while it is down.
std::string CheckTimes(const HealthCheck& check) {
  const auto at_least = [](milliseconds value) { return std::max(value, milliseconds(100)); };
  return "inter " + Time(check.interval) + " fastinter " +
         Time(std::min(check.interval, at_least(check.interval / 4))) + " downinter " +
         Time(std::min(check.interval, at_least(check.interval / 2))) + " rise " +
         std::to_string(check.rise) + " fall " + std::to_string(check.fall);
}

void WriteGlobal(Writer& out, const Config& config, std::string_view hash) {
  out.Section("global");
  out.Comment("Which configuration this is: the statistics page shows it.");
  out.Line("description", hash);
  out.Line("log stdout format raw local0 info");
  out.Comment("spec.loadBalancer.maxConnections, and some for probes and the statistics page.");
  out.Line("maxconn", config.max_connections + kAdminConnections);
  out.Comment("How long a worker that was told to finish may keep its clients.");
  out.Line("hard-stop-after 10m");
}

void WriteResolvers(Writer& out) {
  out.Section("resolvers cluster");
  out.Comment("The cluster's DNS. Brokers' addresses are asked for each second: TTLs don't count.");
  out.Line("parse-resolv-conf");
  out.Line("accepted_payload_size 8192");
  out.Line("timeout resolve 1s");
  out.Line("timeout retry 500ms");
  out.Comment("A new address counts at once; DNS that is lost or wrong takes no broker away.");
  out.Line("hold obsolete 0s");
  for (const std::string_view answer : {"nx", "timeout", "refused", "other"}) {
    out.Line("hold", std::string(answer) + " 1h");
  }
}

void WriteDefaults(Writer& out, const Config& config) {
  out.Section("defaults");
  out.Line("log global");
  out.Line("mode tcp");
  out.Line("option tcplog");
  out.Comment("No log line for a port probe.");
  out.Line("option dontlognull");
  out.Line("option clitcpka");
  out.Line("option srvtcpka");
  out.Comment("The first retry already goes to another broker.");
  out.Line("option redispatch 1");
  out.Line("retries", config.retries);
  out.Line("timeout connect", Time(config.timeouts.connect));
  out.Comment("Idle times: an AMQP connection is silent for up to its heartbeat.");
  out.Line("timeout client", Time(config.timeouts.client));
  out.Line("timeout server", Time(config.timeouts.server));
  out.Line("timeout check", Time(config.health_check.timeout));
  out.Comment("Addresses come from the resolvers alone, so that no DNS outage delays the start.");
  out.Line("default-server " + CheckTimes(config.health_check) +
           " resolvers cluster resolve-prefer ipv4 init-addr last,none");
}

void WriteFrontend(Writer& out, const Config& config, const Listener& listener,
                   std::string_view backend) {
  out.Section("frontend fe_" + listener.name);
  if (listener.protocol == Protocol::kHttp) {
    out.Line("mode http");
    out.Line("option httplog");
    out.Line("option forwardfor");
    out.Line("timeout client 1m");
    out.Line("timeout http-request 10s");
  }
  out.Line("bind", ":" + std::to_string(listener.port));
  out.Line("maxconn", std::min(config.max_connections_per_listener.value_or(config.max_connections),
                               config.max_connections));
  out.Line("default_backend", backend);
}

void WriteBalance(Writer& out, Balance balance) {
  out.Line("balance", Word(balance));
  if (balance == Balance::kSource) {
    out.Comment("A broker that comes or goes moves its own clients only.");
    out.Line("hash-type consistent");
  }
}

std::string CheckedHow(const HealthCheck& check) {
  std::string how;
  if (check.port != 0) how += " port " + std::to_string(check.port);
  if (check.tls && check.type != CheckType::kTcp) how += " check-ssl verify none";
  return how;
}

void WriteServers(Writer& out, const Config& config, const Listener& listener) {
  for (const Server& server : config.servers) {
    std::string line = server.name + ' ' + server.host + ':' + std::to_string(listener.server_port);
    switch (listener.protocol) {
      case Protocol::kAmqp:
        line += " check" + CheckedHow(config.health_check);
        break;
      case Protocol::kTcp:
        line += listener.checked_apart ? " check"
                                       : " track " + std::string(kBackendName) + '/' + server.name;
        break;
      case Protocol::kHttp:
        line += " check cookie " + server.name;
        break;
    }
    if (server.draining) line += " weight 0";
    out.Line("server", line);
  }
}

void WriteAmqp(Writer& out, const Config& config, const Listener& listener) {
  WriteFrontend(out, config, listener, kBackendName);
  out.Section("backend " + std::string(kBackendName));
  WriteBalance(out, config.balance);
  if (config.health_check.type == CheckType::kAmqp) {
    out.Comment("Sends the header of AMQP 0-9-1 and wants Connection.Start: a broker that hangs,");
    out.Comment("drains or is paused still accepts connections.");
    out.Line("option tcp-check");
    out.Line(config.health_check.tls ? "tcp-check connect default" : "tcp-check connect");
    out.Line("tcp-check send-binary 414d515000000901");
    out.Line("tcp-check expect rbinary ^010000[0-9A-F]{8}000A000A");
  } else if (config.health_check.type == CheckType::kManagement) {
    out.Comment("Whoever asks for clients' certificates refuses a check that has none: management");
    out.Comment("does not ask, and goes when a broker drains or is paused.");
    out.Line("option httpchk GET /");
    out.Line("http-check expect status 200");
  }
  out.Comment("A refused connection marks a broker down before its next check does.");
  out.Line(
      "default-server observe layer4 error-limit 1 on-error mark-down on-marked-down "
      "shutdown-sessions");
  WriteServers(out, config, listener);
}

void WriteTcp(Writer& out, const Config& config, const Listener& listener) {
  const std::string backend = "be_" + listener.name;
  WriteFrontend(out, config, listener, backend);
  out.Section("backend " + backend);
  WriteBalance(out, config.balance);
  WriteServers(out, config, listener);
}

void WriteHttp(Writer& out, const Config& config, const Listener& listener) {
  const std::string backend = "be_" + listener.name;
  WriteFrontend(out, config, listener, backend);
  out.Section("backend " + backend);
  out.Line("mode http");
  out.Line("balance leastconn");
  out.Line("timeout server 1m");
  out.Comment("A browser stays on one broker, so that its page and its data are of one version.");
  out.Line("cookie RABBITNODE insert indirect nocache httponly");
  out.Line("option httpchk GET /");
  out.Line("http-check expect status 200");
  WriteServers(out, config, listener);
}

void WriteAdmin(Writer& out, const Config& config, std::string_view hash) {
  const std::string backend(kBackendName);
  const std::string hash_text(hash);
  out.Section("frontend admin");
  out.Line("mode http");
  out.Line("bind", ":" + std::to_string(config.admin_port));
  out.Line("maxconn", kAdminConnections);
  out.Line("timeout client 10s");
  out.Line("timeout http-request 5s");
  out.Line("option dontlog-normal");
  out.Comment("Every answer tells which configuration is live.");
  out.Line("http-after-response set-header", std::string(kHashHeader) + ' ' + hash_text);
  out.Comment("Readiness: at least one broker is up.");
  out.Line("monitor-uri", kHealthPath);
  out.Line("monitor fail if { nbsrv(" + backend + ") lt 1 }");
  out.Comment("Liveness: never depends on brokers.");
  out.Line("http-request return status 200 if { path " + std::string(kLivePath) + " }");
  out.Line("http-request return status 200 content-type text/plain string " + hash_text +
           " if { path " + kHashPath + " }");
  out.Line("http-request use-service prometheus-exporter if { path " + std::string(kMetricsPath) +
           " }");
  if (!config.stats.enabled) {
    out.Comment("No page for people; the operator reads its CSV.");
    const std::string path(kHiddenStatsPath);
    out.Line("http-request deny deny_status 404 if { path_beg " + path + " } !{ path " + path +
             ";csv }");
  }
  out.Line("stats enable");
  out.Line("stats hide-version");
  out.Line("stats uri", config.stats.enabled ? config.stats.path : kHiddenStatsPath);
  out.Line("stats refresh", Time(config.stats.refresh));
  out.Line("stats show-desc");
}

std::string Write(const Config& config, std::string_view hash) {
  Writer out;
  WriteGlobal(out, config, hash);
  WriteResolvers(out);
  WriteDefaults(out, config);
  for (const Listener& listener : config.listeners) {
    switch (listener.protocol) {
      case Protocol::kAmqp:
        WriteAmqp(out, config, listener);
        break;
      case Protocol::kTcp:
        WriteTcp(out, config, listener);
        break;
      case Protocol::kHttp:
        WriteHttp(out, config, listener);
        break;
    }
  }
  WriteAdmin(out, config, hash);
  return out.Take();
}

}  // namespace

std::string StatsCsvTarget(const Stats& stats) {
  return (stats.enabled ? stats.path : std::string(kHiddenStatsPath)) + ";csv";
}

base::Result<Rendered> RenderConfig(const Config& config) {
  if (const auto valid = Validate(config); !valid) return tl::unexpected(valid.error());
  const std::string hash = base::ShortHash(Write(config, "-"));
  return Rendered{.text = Write(config, hash), .hash = hash};
}

}  // namespace rabbit::haproxy
