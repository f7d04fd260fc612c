// operator/observe/secrets.h: Secrets are never listed or watched: they are read one by one, by
// name, when what is known of them is old.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/transport.h"
#include "kube/client.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/resources/tls.h"

namespace rabbit::observe {

// What a Secret's JSON says, `kForeign` when it carries no label of ours.
[[nodiscard]] base::Result<SecretView> ParseSecret(std::string_view json);

// What one cluster's Secrets said, and when.
class SecretMemory {
 public:
  // Own Secrets change only by somebody's hand; referenced ones are rotated by their owners.
  static constexpr std::chrono::minutes kOwnAge{10};

  // Reads what the cluster needs and what is older than its age: own Secrets kOwnAge, referenced
  // ones the drift interval. Of users that are `once_declared` (C-inventory has them) and are no
  // more, those that were made for them. Of `tls_of`, which is declared or spoken by pods, those
  // with certificates: of one that is gone, certificate and authorities are kept. Of none more is
  // kept than is needed. Nothing of its own is read for a cluster that is
  // `new_here`: it has none yet. A failed read keeps the old view when there is one, and is tried
  // again next time; so is a Secret that is somebody else's, or lacks a key that is needed.
  void Refresh(const api::RabbitCluster& cluster, const std::vector<std::string>& once_declared,
               bool new_here, kube::Client& client, base::TimePoint now,
               const http::CallOptions& options, const std::vector<resources::PodTls>& tls_of = {});
  // What was created or found while acting.
  void Learn(const std::string& name, SecretView view, base::TimePoint now);
  // The next Refresh() reads all again: the broker refused what they say.
  void Doubt() { read_at_.clear(); }

  [[nodiscard]] const std::map<std::string, SecretView>& views() const { return views_; }

 private:
  std::map<std::string, SecretView> views_;
  std::map<std::string, base::TimePoint> read_at_;
};

}  // namespace rabbit::observe
