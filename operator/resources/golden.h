// operator/resources/golden.h: for tests: whole manifests as YAML, compared with files in
// test/golden. RABBIT_UPDATE_GOLDEN=1 rewrites them (./dev golden): review the difference.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace rabbit::resources {

// Block style, keys sorted, texts of several lines as they are.
[[nodiscard]] std::string ToYaml(const base::Json& document);

// Fails the test when `documents` differ from test/golden/`name`.
void ExpectGolden(const std::string& name, const std::vector<base::Json>& documents);

}  // namespace rabbit::resources
