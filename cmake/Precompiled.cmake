# UsePrecompiled(TARGET): the headers that nearly every source includes, parsed once. Only in the
# presets that say RABBIT_PRECOMPILED, the sanitizers': it saves a third of their build. The others
# show whether every file includes what it needs.
option(RABBIT_PRECOMPILED "parse common headers once" OFF)

if(RABBIT_PRECOMPILED)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "")
  add_library(precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  # gtest's, whose definitions go into it.
  target_link_libraries(precompiled PRIVATE GTest::gmock)
  target_precompile_headers(precompiled PRIVATE
    <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <set> <string> <thread>
    <utility> <variant> <vector> <nlohmann/json.hpp> <gmock/gmock.h> <gtest/gtest.h>)
  # For ccache, which serves what was compiled with it by content.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  target_compile_options(precompiled PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endif()

function(UsePrecompiled target)
  if(RABBIT_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM precompiled)
  endif()
endfunction()
