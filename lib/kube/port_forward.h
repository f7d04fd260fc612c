// lib/kube/port_forward.h: a port of a pod, reached through the API server, as an http::Transport:
// for who is outside of the cluster's network. Thread-safe: each connection has its own websocket.
//
// Each message is one channel byte and data: 0 is the connection itself, 1 why it failed. The first
// two bytes of either channel are the port (little endian), and told to nobody. Fact:
// k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go; the API server passes them on as they
// are.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/transport.h"
#include "kube/credentials.h"
#include "kube/resource.h"
#include "kube/upgrade.h"

namespace rabbit::kube {

inline constexpr std::string_view kPortForwardProtocol = "v4.channel.k8s.io";

// The protocol of one port, over the messages of an open websocket. Decisions only. Not
// thread-safe.
class PortForwardMachine {
 public:
  static constexpr std::size_t kMaxMessage = 32 << 10;

  // The messages that carry `data`.
  [[nodiscard]] static std::vector<std::string> MessagesOf(std::string_view data);
  // A message came: what of it is data. Unknown channels are ignored.
  [[nodiscard]] std::string_view OnMessage(std::string_view message);
  // Why the node could not connect to the port, or lost it; empty: it did not say so.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  std::array<std::size_t, 2> port_bytes_{2, 2};  // of each channel, yet to come
  std::string failure_;
};

// `credentials` must outlive the transport. Connects with the first call, and keeps one connection.
// Whatever keeps it from connecting is kRetry, as of any Transport, with the server's words: a
// missing right (get pods/portforward; create, too, from Kubernetes 1.35 on), no such pod, or
// nobody who listens on the port.
[[nodiscard]] std::unique_ptr<http::Transport> MakePortForwardTransport(OpenFunction open,
                                                                        Credentials& credentials,
                                                                        ObjectKey pod,
                                                                        std::uint16_t port);

}  // namespace rabbit::kube
