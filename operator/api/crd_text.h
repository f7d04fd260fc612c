// operator/api/crd_text.h: the CustomResourceDefinition, crd/rabbitcluster.yaml as it was at build
// time.
#pragma once

#include <string>

namespace rabbit::api {

[[nodiscard]] std::string CrdText();  // YAML, one document

}  // namespace rabbit::api
