# Compiler, linker and warning settings, the same for every target.
# RABBIT_SANITIZE: "", "address-undefined" or "thread"; set by the presets.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(RABBIT_SANITIZE "" CACHE STRING "address-undefined, thread, or nothing")

find_program(CCACHE ccache)
if(CCACHE)
  # Paths below the checkout are made relative, so that another checkout hits the same entries.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Without this clang warns about {.limit = 5} for structs
  # whose other members have defaults, which is how options are passed here.
  add_compile_options(-Wthread-safety -Wno-missing-field-initializers)
else()
  add_compile_options(-Wno-missing-field-initializers)
endif()
# Exact line numbers and stack traces, without the weight of full debug information.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-g1)
endif()
add_compile_definitions(SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)

if(RABBIT_SANITIZE STREQUAL "address-undefined")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(RABBIT_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
