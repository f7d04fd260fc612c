#include "operator/api/status_json.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/api/types.h"
#include "operator/api/write.h"

namespace rabbit::api {

std::string StatusApplyBody(const kube::ObjectMeta& meta, const Status& status) {
  nlohmann::json body = {
      {"apiVersion", kRabbitClusters.ApiVersion()},
      {"kind", kRabbitClusters.kind()},
      {"metadata", {{"name", meta.key.name}, {"namespace", meta.key.ns}, {"uid", meta.uid}}}};
  std::string text = base::Dump(body);
  // Both are compact objects and "status" sorts last.
  text.pop_back();
  return text + ",\"status\":" + StatusToJson(status) + "}";
}

}  // namespace rabbit::api
