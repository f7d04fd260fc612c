// operator/resources/own_user.h: how the operator's own user is made or mended from within a broker
// pod, when the broker lets it in no more: by the import of a definition, whatever is left of the
// user. Pure.
//
// Of the ways to hand a password to rabbitmqctl this is the one that all versions have: 4.0.5 waits
// for ever when it is to read its standard input, and on a command line everybody would see it. So
// the definition lies in a file while it is imported, on the pod's own /tmp and readable by nobody
// else; with a hash in it, and not the password. It names no permissions: an administrator needs
// none for what the operator does (seen on 3.8.9, 3.10.8, 4.0.5 and 4.3), and where vhost `/` was
// deleted, an import that names it fails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace rabbit::resources {

// Takes one line, a definition, from standard input. Begins with /bin/sh, and is always the same:
// exec-policy.yaml says it word by word.
[[nodiscard]] std::vector<std::string> ImportCommand();

// That line: the operator's user as an administrator, with the hash of its password.
[[nodiscard]] base::Secret OwnUserDefinition(const base::Secret& hash, std::string_view algorithm);

}  // namespace rabbit::resources
