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

}  // namespace

std::vector<BrokerTarget::Node> InOrder(std::vector<BrokerTarget::Node> nodes,
                                        const std::string& first) {
  const auto found = std::ranges::find(nodes, first, &BrokerTarget::Node::pod);
  if (found != nodes.end()) std::ranges::rotate(nodes, found);
  return nodes;
}

base::Result<std::shared_ptr<http::Transport>> Connections::To(const std::string& address,
                                                               std::uint16_t port) {
  base::MutexLock lock(mutex_);
  const std::pair key{address, port};
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    auto made = connect_(address, port);
    if (!made) return tl::unexpected(made.error());
    std::erase_if(entries_, [oldest = kTurns * entries_.size(), now = uses_](const auto& entry) {
      return now - entry.second.last_use > oldest;
    });
    if (entries_.size() >= kMax) {
      entries_.erase(std::min_element(
          entries_.begin(), entries_.end(),
          [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
    }
    it = entries_.emplace(key, Entry{.transport = std::move(*made)}).first;
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
    const auto transport = connections.To(node.address, kManagementPort);
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
      if (half) connections.Forget(node.address, kManagementPort);
      KeepOtherCounts(parts, before, view);
      answer.look = {.view = std::make_shared<const rabbitmq::BrokerView>(std::move(view)),
                     .trouble = {},
                     .at = began,
                     .denied = false,
                     .ask_first = next == target.nodes.front() ? "" : next.pod,
                     .counted_last = parts.counted_apart.empty() ? "" : parts.counted_apart.back()};
      answer.succeeded = true;
      return answer;
    }
    answer.look.trouble = node.pod + ": " + view.nodes.why();
    if (view.nodes.kind() == base::ErrorKind::kDenied) {
      answer.look.denied = true;  // the others share the same users
      break;
    }
    connections.Forget(node.address, kManagementPort);
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
  return *before.view == *now.view ? News::kNone : News::kNow;
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
