// operator/resources/plugins.h: the command that changes the enabled plugins of a broker that runs,
// and what it says. See set_plugins.sh. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rabbit::resources {

// Enables exactly these, for now and the next boot of this pod, in the container of the broker.
// With /bin/sh, which the admission policy of the operator's exec asks for.
[[nodiscard]] std::vector<std::string> SetPluginsCommand(const std::vector<std::string>& plugins);

// The exit code when the image does not have some of them: nothing was changed then, and standard
// error says "no such plugin: a b".
inline constexpr int kSomePluginsMissing = 3;
inline constexpr std::string_view kNoSuchPlugin = "no such plugin:";
// Whom `said` calls so: what is behind the last kNoSuchPlugin in it, up to what is no plugin's
// name.
[[nodiscard]] std::vector<std::string> MissingPlugins(std::string_view said);

// What went wrong, of all that the command said: one line, from the error on (before it comes what
// was meant to be done). Empty: it said nothing.
[[nodiscard]] std::string TroubleIn(std::string_view said);

}  // namespace rabbit::resources
