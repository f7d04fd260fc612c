#include "operator/api/findings.h"

#include <algorithm>

namespace rabbit::api {

std::string FieldError::ToString() const {
  return path + ": " + (value.empty() ? "" : value + ": ") + rule;
}

bool Findings::Broken(std::string_view list, std::string_view vhost, std::string_view name) const {
  return std::any_of(entries.begin(), entries.end(), [&](const EntryError& e) {
    return e.list == list && (e.vhost.empty() || e.vhost == vhost) &&
           (e.name.empty() || e.name == name);
  });
}

}  // namespace rabbit::api
