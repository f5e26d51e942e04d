# SPDX-License-Identifier: MIT
#
# What the whole project defines when asy is a folder of it, for when it is built alone: the options and warnings of
# the CMakeLists.txt one folder up.

option(LOOPCHECK_WERROR "Treat compiler warnings as errors" OFF)
set(LOOPCHECK_SANITIZE "" CACHE STRING "Sanitizers to build with: 'address;undefined', 'thread', or nothing")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(loopcheck_options INTERFACE)
target_compile_options(loopcheck_options INTERFACE
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wundef -Wvla
    $<$<BOOL:${LOOPCHECK_WERROR}>:-Werror>)

if(LOOPCHECK_SANITIZE)
    list(JOIN LOOPCHECK_SANITIZE "," sanitizers)
    set(sanitize_options -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(loopcheck_options INTERFACE ${sanitize_options})
    target_link_options(loopcheck_options INTERFACE ${sanitize_options})
endif()

if(ASY_TESTS)
    enable_testing()
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
