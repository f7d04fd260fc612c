// operator/commands/descriptors.h: how many files and sockets this process may have open.
#pragma once

namespace rabbit::commands {

// Raises the soft limit to the hard one. A login shell's soft limit is 1024, for programs that use
// select(); each cluster that answers has some connections of its own kept alive. Call it before
// other threads start.
void RaiseDescriptorLimit();

}  // namespace rabbit::commands
