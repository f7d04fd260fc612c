# GIVEN, or what git says of SOURCE, into OUTPUT, which is touched only when it changes.
set(version "${GIVEN}")
if(NOT version)
  execute_process(COMMAND git -C ${SOURCE} describe --tags --always --dirty
                  OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT version)
  set(version "0.1.0-dev")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#include \"operator/version.h\"

namespace rabbit {

std::string_view Version() { return \"${version}\"; }

}  // namespace rabbit
")
