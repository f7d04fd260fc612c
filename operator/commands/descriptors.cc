#include "operator/commands/descriptors.h"

#include <sys/resource.h>

namespace rabbit::commands {

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // up to the hard limit anybody may
}

}  // namespace rabbit::commands
