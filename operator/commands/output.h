// operator/commands/output.h: what a command that prints and ends has to say.
#pragma once

#include <string>

namespace rabbit::commands {

// What is to be written where.
struct Output {
  std::string out, error;  // standard output; standard error, each line with its end
  int exit_code = 0;
};

}  // namespace rabbit::commands
