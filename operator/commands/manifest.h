// operator/commands/manifest.h: what a file for `kubectl apply` holds, as far as a plan is
// concerned. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kube/resource.h"
#include "operator/observe/observation.h"

namespace rabbit::commands {

struct Manifest {
  struct Document {
    kube::ObjectKey key;
    // JSON of what is declared: apiVersion, kind, metadata (name, namespace, labels, annotations)
    // and spec. What only the server writes, as in the output of `kubectl get -o yaml`, is left
    // out.
    std::string text;
  };
  std::vector<Document> clusters;                          // RabbitClusters, in order
  std::map<kube::ObjectKey, observe::SecretView> secrets;  // as they will be
  std::vector<std::string> others;  // "ConfigMap ns/name": nobody looks at them
};

// `text` is YAML or JSON, several documents, Lists among them. An object without a namespace is of
// `otherwise`; one of another namespace than `required` is refused, as by kubectl (empty: any).
// kInvalid, on one line.
[[nodiscard]] base::Result<Manifest> ParseManifest(std::string_view text,
                                                   const std::string& otherwise,
                                                   const std::string& required);

}  // namespace rabbit::commands
