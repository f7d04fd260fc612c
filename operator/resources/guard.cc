#include "operator/resources/guard.h"

#include "operator/resources/names.h"

namespace rabbit::resources {

std::vector<std::string> ReleaseCommand(std::string_view volume_uid) {
  return {"/bin/sh",
          "-c",
          R"(printf %s "$1" >"$2.new" && mv "$2.new" "$2")",
          "release",
          std::string(volume_uid),
          std::string(kReleaseFile)};
}

std::vector<std::string> IsHeldCommand() {
  return {"/bin/sh", "-c", "test -e " + std::string(kHeldFile)};
}

}  // namespace rabbit::resources
