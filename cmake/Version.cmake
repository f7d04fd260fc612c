# What `rabbit-operator version` prints: RABBIT_OPERATOR_VERSION where it is given, else what git says of
# the checkout. Looked up by every build, not when it is configured: commits come in between.
set(RABBIT_OPERATOR_VERSION "" CACHE STRING "version of the operator, where git is not to be asked")
set(RABBIT_VERSION_SOURCE ${CMAKE_BINARY_DIR}/version.cc)
add_custom_target(version
  COMMAND ${CMAKE_COMMAND} -DGIVEN=${RABBIT_OPERATOR_VERSION} -DSOURCE=${CMAKE_SOURCE_DIR}
          -DOUTPUT=${RABBIT_VERSION_SOURCE} -P ${CMAKE_CURRENT_LIST_DIR}/write_version.cmake
  BYPRODUCTS ${RABBIT_VERSION_SOURCE}
  COMMENT ""
  VERBATIM)
