// operator/commands/import.h: `rabbit-operator import`: reads a broker and prints the RabbitCluster
// that describes it (import_document.h). Nothing is written anywhere but to standard output.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "operator/commands/import_document.h"
#include "operator/commands/options.h"
#include "operator/commands/run.h"

namespace rabbit::commands {

// Environment variables that stand for flags: an own environment is no place where others look,
// a command line is.
inline constexpr const char* kUsernameVariable = "RABBITMQ_USERNAME";
inline constexpr const char* kPasswordVariable = "RABBITMQ_PASSWORD";

// What is at the broker, described. Errors are for people, on one line; kInvalid: a flag, a file or
// a variable is wrong, and nobody was asked.
[[nodiscard]] base::Result<ImportDocument> ImportFrom(const ImportOptions& options,
                                                      const Environment& environment,
                                                      base::TimePoint deadline);

// What is to be said of a document of so many bytes; nothing of most. kubectl apply, unless it is
// told --server-side, puts all of it into an annotation, and all of an object's annotations hold no
// more than 256 KiB.
[[nodiscard]] std::optional<std::string> WhyServerSide(std::size_t bytes);

// The exit code: 0 also when something was left out, which standard error tells; kExitUsage for
// kInvalid; else kExitAgain. To be called on the main thread.
int Import(const ImportOptions& options, const Environment& environment);

}  // namespace rabbit::commands
