#pragma once

#include <string_view>

namespace rabbit {

// Of which state of the sources this program is: as git names it, or as the build was told
// (cmake/Version.cmake).
std::string_view Version();

}  // namespace rabbit
