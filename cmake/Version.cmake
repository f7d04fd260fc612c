# RABBIT_OPERATOR_VERSION: what `rabbit-operator version` prints; given, or read from git.
if(NOT RABBIT_OPERATOR_VERSION)
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} describe --tags --always --dirty
                  OUTPUT_VARIABLE RABBIT_OPERATOR_VERSION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT RABBIT_OPERATOR_VERSION)
    set(RABBIT_OPERATOR_VERSION "0.1.0-dev")
  endif()
endif()
