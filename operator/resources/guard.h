// operator/resources/guard.h: the init container `prepare` of broker pods: its script, and how the
// operator speaks to it by exec. See prepare.sh for what it does and why.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rabbit::resources {

// The text of prepare.sh.
[[nodiscard]] std::string_view PrepareScript();
// What follows it where the broker is to speak TLS: puts $TLS_CONF where the broker reads it.
[[nodiscard]] std::string_view PrepareTlsScript();

// Lets a held node in: writes the release file, whole or not at all. `volume_uid` is told in the
// log. Does no harm to a node that is not held. All commands start with /bin/sh, which the
// admission policy of the operator's exec asks for.
[[nodiscard]] std::vector<std::string> ReleaseCommand(std::string_view volume_uid);

// Succeeds while the guard holds a blank disk.
[[nodiscard]] std::vector<std::string> IsHeldCommand();

}  // namespace rabbit::resources
