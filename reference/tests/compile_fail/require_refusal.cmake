# SPDX-License-Identifier: MIT
#
# One sample and one compiler (CMakeLists.txt here says what must hold):
#
#   cmake -D FAMILY=gcc|clang -D COMPILER=... -D SAMPLE=....c -D INCLUDE=... -D FLAGS=... -P require_refusal.cmake
#
# The message is a regular expression, in the sample's line " * gcc: ..." or " * clang: ...". Quotation marks are
# those of the C locale.

cmake_minimum_required(VERSION 3.25)
set(ENV{LC_ALL} C)

# Compile the sample, with further arguments: result is the exit status, output what the compiler says.
function(compile)
    execute_process(
        COMMAND ${COMPILER} -std=c11 ${FLAGS} -Werror -I ${INCLUDE} ${ARGN} -c -o /dev/null ${SAMPLE}
        RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
    set(result ${status} PARENT_SCOPE)
    set(output "${text}" PARENT_SCOPE)
endfunction()

compile()
if(NOT result STREQUAL "0")
    message(FATAL_ERROR "does not compile without its mistake either:\n${output}")
endif()
file(READ ${SAMPLE} source)
if(NOT source MATCHES "MISTAKE")
    return()
endif()
if(NOT source MATCHES "\n \\* ${FAMILY}: ([^\n]+)\n")
    message(FATAL_ERROR "${SAMPLE} does not say what ${FAMILY} says: add a line ' * ${FAMILY}: ...'")
endif()
set(expected "${CMAKE_MATCH_1}")
compile(-D MISTAKE)
if(result STREQUAL "0")
    message(FATAL_ERROR "compiles with its mistake")
endif()
if(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "is refused, but not with '${expected}':\n${output}")
endif()
