#include "operator/observe/broker_watch.h"

#include <algorithm>

#include "haproxy/stats.h"

namespace rabbit::observe {
namespace {

constexpr std::size_t kMaxCsvBytes = 4 << 20;

}  // namespace

base::Result<std::shared_ptr<http::Transport>> Connections::To(const std::string& address,
                                                               std::uint16_t port) {
  base::MutexLock lock(mutex_);
  const std::pair key{address, port};
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    auto made = connect_(address, port);
    if (!made) return tl::unexpected(made.error());
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
  std::size_t left = target.nodes.size();
  for (const BrokerTarget::Node& node : target.nodes) {
    // One that hangs takes its share of the time, not the others'.
    const base::TimePoint now = clock.Now();
    const base::TimePoint share = now + (deadline - now) / static_cast<int>(left--);
    if (now >= deadline || stop.stop_requested()) break;
    const auto transport = connections.To(node.address, kManagementPort);
    if (!transport) {
      answer.look.trouble = node.pod + ": " + transport.error().message;
      continue;
    }
    rabbitmq::ManagementClient client(**transport, target.user, target.password);
    const base::TimePoint began = clock.Now();
    rabbitmq::BrokerView view = client.Read(target.parts, {.deadline = share, .stop = stop});
    if (view.nodes.has_value()) {
      answer.look = {.view = std::make_shared<const rabbitmq::BrokerView>(std::move(view)),
                     .trouble = {},
                     .at = began,
                     .denied = false};
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
