// operator/api/crd_text.h: the CustomResourceDefinition, crd/rabbitcluster.yaml as it was at build time.
#pragma once

#include <string_view>

namespace rabbit::api {

[[nodiscard]] std::string_view CrdText();  // YAML, one document

}  // namespace rabbit::api
