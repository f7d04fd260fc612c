#include "operator/observe/broker_watch.h"

#include <algorithm>

#include "haproxy/stats.h"

namespace rabbit::observe {
namespace {

constexpr std::size_t kMostCountedApart = 8;
constexpr std::size_t kMaxCsvBytes = 4 << 20;

// Whether something was asked for that another node may tell.
bool FailedHalfWay(const rabbitmq::BrokerView& view, const rabbitmq::ViewParts& parts) {
  const auto failed = [](const auto& part) {
    return !part && part.kind() == base::ErrorKind::kRetry;
  };
  return failed(view.version) || failed(view.vhosts) || failed(view.users) ||
         failed(view.permissions) || failed(view.policies) ||
         (parts.vhost_limits && failed(view.vhost_limits)) ||
         (parts.user_limits && failed(view.user_limits)) ||
         (parts.topic_permissions && failed(view.topic_permissions)) ||
         (parts.operator_policies && failed(view.operator_policies)) ||
         (parts.flags_to_enable && failed(view.flags_to_enable)) ||
         (parts.queues && failed(view.queues));
}

// While the list of all queues cannot be read, or not in time, some vhosts are counted by a call
// each, and others with each look. REQUIRES: `vhosts` is sorted.
std::vector<std::string> ToCountApart(const std::vector<std::string>& vhosts,
                                      const BrokerLook& before) {
  std::vector<std::string> some;
  if (before.view == nullptr || before.view->queues) return some;
  const auto next = std::ranges::upper_bound(vhosts, before.counted_last) - vhosts.begin();
  for (std::size_t i = 0; i < std::min(vhosts.size(), kMostCountedApart); ++i) {
    some.push_back(vhosts[(static_cast<std::size_t>(next) + i) % vhosts.size()]);
  }
  return some;
}

// A count that was not asked for this time is as it was. Whether a vhost is empty is asked again
// before it is deleted.
void KeepOtherCounts(const rabbitmq::ViewParts& parts, const BrokerLook& before,
                     rabbitmq::BrokerView& view) {
  if (before.view == nullptr || view.queues) return;
  for (const auto& [vhost, count] : before.view->vhost_queues) {
    if (!count || std::ranges::find(parts.counted_apart, vhost) != parts.counted_apart.end()) {
      continue;
    }
    const auto now = view.vhost_queues.find(vhost);
    if (now != view.vhost_queues.end()) now->second = count;
  }
}

bool SameTls(const std::shared_ptr<const http::TlsSettings>& a,
             const std::shared_ptr<const http::TlsSettings>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

constexpr std::chrono::milliseconds kGreeting(1'000);
// A broker with ten thousands of queues takes seconds to export them: what is seen of the rest is
// not to suffer from it. (A look that took long is repeated the later.)
constexpr std::chrono::seconds kForDefinitions(8);
// After each greeting in vain it is waited for longer by so much: kubelet and broker take minutes
// to bring a renewed certificate up, and some never do.
constexpr std::chrono::seconds kPatience(5);
constexpr std::chrono::seconds kMostPatience(300);

using Served = std::shared_ptr<const std::vector<ServedCertificate>>;

bool IsToBeGreeted(const BrokerTarget::Node& node, const ServedCertificate& known,
                   base::TimePoint now) {
  const std::string& own = node.tls->own_certificate;  // empty: not known
  const bool any_will_do = own.empty() || !node.can_show_own;
  if (any_will_do ? !known.fingerprint.empty() : known.fingerprint == own) return false;
  if (known.greetings == 0 || known.awaited != own) return true;
  return now - known.greeted_at >= std::min(kPatience * known.greetings, kMostPatience);
}

void Greet(Connections& connections, const BrokerTarget::Node& node,
           const http::CallOptions& options, ServedCertificate& served) {
  connections.Forget(node.address, node.port());  // a kept connection shows nothing anew
  const auto transport = connections.To(node.address, node.port(), node.tls);
  const auto answered =
      transport ? (*transport)->Send({.method = http::Method::kHead, .target = "/"}, options)
                : base::Result<http::Response>(tl::unexpected(transport.error()));
  if (answered) served.fingerprint = (*transport)->PeerCertificate();
  served.trouble = answered ? std::string() : answered.error().message;
}

// What each node with TLS shows. One that has shown the certificate in its Secret is not asked
// again: it reads the files anew by itself, and keeps what it has read until they change. Only the
// connection to the one that is `asked` anyway is kept.
Served LookAtCertificates(Connections& connections, base::Clock& clock, const BrokerTarget& target,
                          const BrokerTarget::Node& asked, const Served& before,
                          const std::stop_token& stop, base::TimePoint deadline) {
  std::vector<ServedCertificate> served;
  bool any_greeted = false;
  for (const BrokerTarget::Node& node : target.nodes) {
    if (node.tls == nullptr) continue;
    ServedCertificate now{
        .pod = node.pod, .address = node.address, .fingerprint = {}, .trouble = {}};
    if (before != nullptr) {
      const auto known = std::ranges::find_if(*before, [&](const ServedCertificate& one) {
        return one.pod == node.pod && one.address == node.address;
      });
      if (known != before->end()) now = *known;
    }
    const base::TimePoint at = clock.Now();
    const base::TimePoint until = std::min(deadline, at + kGreeting);
    if (at < until && !stop.stop_requested() && IsToBeGreeted(node, now, at)) {
      Greet(connections, node, {.deadline = until, .stop = stop}, now);
      if (!(node == asked)) connections.Forget(node.address, node.port());
      const std::string& own = node.tls->own_certificate;
      now.greetings = now.awaited == own ? now.greetings + 1 : 1;
      now.awaited = own;
      now.greeted_at = at;
      any_greeted = true;
    }
    served.push_back(std::move(now));
  }
  if (served.empty()) return nullptr;
  if (!any_greeted && before != nullptr && *before == served) return before;
  return std::make_shared<const std::vector<ServedCertificate>>(std::move(served));
}

}  // namespace

std::vector<BrokerTarget::Node> InOrder(std::vector<BrokerTarget::Node> nodes,
                                        const std::string& first) {
  const auto found = std::ranges::find(nodes, first, &BrokerTarget::Node::pod);
  if (found != nodes.end()) std::ranges::rotate(nodes, found);
  return nodes;
}

base::Result<std::unique_ptr<http::Transport>> Connections::Connect(
    const std::string& address, std::uint16_t port,
    const std::shared_ptr<const http::TlsSettings>& tls) const {
  if (tls == nullptr) return connect_(address, port);
  if (connect_tls_) return connect_tls_(address, port, *tls);
  return base::Fail(base::ErrorKind::kInvalid, "it speaks TLS only, which is not to be had here");
}

base::Result<std::shared_ptr<http::Transport>> Connections::To(
    const std::string& address, std::uint16_t port,
    const std::shared_ptr<const http::TlsSettings>& tls) {
  base::MutexLock lock(mutex_);
  const std::pair key{address, port};
  auto it = entries_.find(key);
  if (it != entries_.end() && !SameTls(it->second.tls, tls)) {
    entries_.erase(it);
    it = entries_.end();
  }
  if (it == entries_.end()) {
    auto made = Connect(address, port, tls);
    if (!made) return tl::unexpected(made.error());
    std::erase_if(entries_, [oldest = kTurns * entries_.size(), now = uses_](const auto& entry) {
      return now - entry.second.last_use > oldest;
    });
    if (entries_.size() >= kMax) {
      entries_.erase(std::min_element(
          entries_.begin(), entries_.end(),
          [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
    }
    it = entries_.emplace(key, Entry{.transport = std::move(*made), .tls = tls}).first;
  }
  it->second.last_use = ++uses_;
  return it->second.transport;
}

void Connections::Forget(const std::string& address, std::uint16_t port) {
  base::MutexLock lock(mutex_);
  entries_.erase({address, port});
}

BrokerWatch::Answer LookAtBroker(Connections& connections, base::Clock& clock,
                                 const BrokerTarget& target, const BrokerLook& before,
                                 const std::stop_token& stop, base::Duration within) {
  BrokerWatch::Answer answer{.look = before, .succeeded = false};
  answer.look.denied = false;
  answer.look.trouble = "no node of the cluster serves yet";
  const base::TimePoint deadline = clock.Now() + within;
  rabbitmq::ViewParts parts = target.parts;
  parts.counted_apart = ToCountApart(parts.queues_of, before);
  const std::vector<BrokerTarget::Node> nodes = InOrder(target.nodes, before.ask_first);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const BrokerTarget::Node& node = nodes[i];
    // One that hangs takes its share of the time, not the others'.
    const base::TimePoint now = clock.Now();
    const base::TimePoint share = now + (deadline - now) / static_cast<int>(nodes.size() - i);
    if (now >= deadline || stop.stop_requested()) break;
    const auto transport = connections.To(node.address, node.port(), node.tls);
    if (!transport) {
      answer.look.trouble = node.pod + ": " + transport.error().message;
      continue;
    }
    rabbitmq::ManagementClient client(**transport, target.user, target.password);
    const base::TimePoint began = clock.Now();
    rabbitmq::BrokerView view = client.Read(parts, {.deadline = deadline, .stop = stop}, share);
    if (view.nodes.has_value()) {
      const bool half = FailedHalfWay(view, parts);
      const BrokerTarget::Node& next = half ? nodes[(i + 1) % nodes.size()] : node;
      if (half) connections.Forget(node.address, node.port());
      KeepOtherCounts(parts, before, view);
      // Before what may take longer than all of this.
      auto served =
          LookAtCertificates(connections, clock, target, node, before.served, stop, deadline);
      if (parts.definitions && view.policies) {  // not after a node that hung
        view.missing_definitions = client.FindMissing(
            parts.definitions, {.deadline = clock.Now() + kForDefinitions, .stop = stop});
      } else if (parts.definitions) {
        view.missing_definitions =
            base::Error{.kind = base::ErrorKind::kRetry, .message = "the rest came to nothing"};
      }
      // Of the tag `monitoring`: nodes are told, and users are not.
      const bool denied = !view.users && view.users.kind() == base::ErrorKind::kDenied;
      answer.look = {.view = std::make_shared<const rabbitmq::BrokerView>(std::move(view)),
                     .trouble = {},
                     .at = began,
                     .denied = denied,
                     .denied_at = denied ? began : base::TimePoint(),
                     .ask_first = next == target.nodes.front() ? "" : next.pod,
                     .counted_last = parts.counted_apart.empty() ? "" : parts.counted_apart.back(),
                     .served = std::move(served)};
      answer.succeeded = true;
      return answer;
    }
    answer.look.trouble = node.pod + ": " + view.nodes.why();
    if (view.nodes.kind() == base::ErrorKind::kDenied) {
      answer.look.denied = true;  // the others share the same users
      answer.look.denied_at = began;
      break;
    }
    connections.Forget(node.address, node.port());
  }
  return answer;
}

News Compare(const BrokerLook& before, const BrokerLook& now) {
  if (before.denied != now.denied) return News::kNow;
  if (before.trouble != now.trouble) {
    return before.view == nullptr && now.view == nullptr ? News::kLater : News::kNow;
  }
  if (before.view == nullptr || now.view == nullptr) {
    return before.view != now.view ? News::kNow : News::kNone;
  }
  const bool same_certificates = before.served == nullptr || now.served == nullptr
                                     ? before.served == now.served
                                     : *before.served == *now.served;
  return same_certificates && *before.view == *now.view ? News::kNone : News::kNow;
}

ProxyWatch::Answer LookAtProxies(Connections& connections, base::Clock& clock,
                                 const ProxyTarget& target, const std::stop_token& stop,
                                 base::Duration each) {
  ProxyWatch::Answer answer{.look = {}, .succeeded = false};
  for (const ProxyTarget::Proxy& proxy : target.proxies) {
    ProxyLook look{.pod = proxy.pod, .view = nullptr, .trouble = {}};
    base::Result<haproxy::ProxyView> view = base::Fail(base::ErrorKind::kRetry, "not asked");
    if (const auto transport = connections.To(proxy.address, target.port); !transport) {
      view = tl::unexpected(transport.error());
    } else {
      const auto response =
          (*transport)
              ->Send(
                  {.target = target.csv_target},
                  {.deadline = clock.Now() + each, .stop = stop, .max_body_bytes = kMaxCsvBytes});
      if (!response) {
        view = tl::unexpected(response.error());
      } else if (response->status != 200) {
        view = base::Fail(base::ErrorKind::kRetry,
                          "the statistics answer " + std::to_string(response->status));
      } else {
        view = haproxy::ParseStats(response->body,
                                   http::FindHeader(response->headers, haproxy::kHashHeader));
      }
    }
    if (view) {
      look.view = std::make_shared<const haproxy::ProxyView>(std::move(*view));
      answer.succeeded = true;
    } else {
      look.trouble = view.error().message;
      connections.Forget(proxy.address, target.port);
    }
    answer.look.looks.push_back(std::move(look));
  }
  return answer;
}

News Compare(const ProxyLooks& before, const ProxyLooks& now) {
  const bool same = std::equal(before.looks.begin(), before.looks.end(), now.looks.begin(),
                               now.looks.end(), [](const ProxyLook& a, const ProxyLook& b) {
                                 if (a.pod != b.pod || a.trouble != b.trouble) return false;
                                 if (a.view == nullptr || b.view == nullptr)
                                   return a.view == b.view;
                                 return haproxy::SameState(*a.view, *b.view);
                               });
  if (same) return News::kNone;
  const auto answers = [](const ProxyLook& look) { return look.view != nullptr; };
  return std::ranges::any_of(before.looks, answers) || std::ranges::any_of(now.looks, answers)
             ? News::kNow
             : News::kLater;
}

}  // namespace rabbit::observe
