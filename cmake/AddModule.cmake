# AddModule(NAME kube DIR lib/kube SOURCES a.cc b.cc LINKS base http PRIVATE OpenSSL::SSL
#           TESTS a_test.cc TEST_LINKS fakes)
#
# One static library. LINKS (public) are the module's allowed arrows: a header of another module can
# only be included when that module is linked, or one of the same folder, because every module has an
# include root of its own (build/include/NAME), which holds nothing but a link to the module's folder.
# PRIVATE libraries are for the module's .cc files alone. TESTS become one executable NAME_test
# (gtest), run by ctest.
function(AddModule)
  cmake_parse_arguments(M "" "NAME;DIR;INCLUDE_AS" "SOURCES;LINKS;PRIVATE;TESTS;TEST_LINKS" ${ARGN})
  if(M_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "AddModule(${M_NAME}): unknown arguments: ${M_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT M_DIR)
    set(M_DIR lib/${M_NAME})
  endif()
  if(NOT M_INCLUDE_AS)  # lib/kube is included as "kube/…", operator/plan as "operator/plan/…"
    string(REGEX REPLACE "^lib/" "" M_INCLUDE_AS ${M_DIR})
  endif()
  set(root ${CMAKE_BINARY_DIR}/include/${M_NAME})
  get_filename_component(parent ${root}/${M_INCLUDE_AS} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${M_DIR} ${root}/${M_INCLUDE_AS} SYMBOLIC)

  list(TRANSFORM M_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/${M_DIR}/)
  if(M_SOURCES)
    add_library(${M_NAME} STATIC ${M_SOURCES})
    target_include_directories(${M_NAME} PUBLIC ${root})
    target_link_libraries(${M_NAME} PUBLIC ${M_LINKS} PRIVATE ${M_PRIVATE})
    UsePrecompiled(${M_NAME})
  else()
    add_library(${M_NAME} INTERFACE)
    target_include_directories(${M_NAME} INTERFACE ${root})
    target_link_libraries(${M_NAME} INTERFACE ${M_LINKS})
  endif()
  if(M_TESTS)
    list(TRANSFORM M_TESTS PREPEND ${CMAKE_SOURCE_DIR}/${M_DIR}/)
    add_executable(${M_NAME}_test ${M_TESTS})
    target_link_libraries(${M_NAME}_test PRIVATE ${M_NAME} ${M_PRIVATE} ${M_TEST_LINKS}
                                                 GTest::gmock GTest::gtest_main)
    UsePrecompiled(${M_NAME}_test)
    # Only for those that read files of the checkout: its path in every command would keep ccache from
    # serving another checkout.
    foreach(test ${M_TESTS})
      file(STRINGS ${test} uses_source_dir REGEX RABBIT_SOURCE_DIR LIMIT_COUNT 1)
      if(uses_source_dir)
        set_property(SOURCE ${test} APPEND PROPERTY
                     COMPILE_DEFINITIONS RABBIT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      endif()
    endforeach()
    add_test(NAME ${M_NAME} COMMAND ${M_NAME}_test)
    set_tests_properties(${M_NAME} PROPERTIES TIMEOUT 400)
  endif()
endfunction()
