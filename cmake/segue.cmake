# What every target of this project shares: warnings, sanitizers, and the shape of a
# library (one per folder) and of a test (one per folder of tests/).

add_library(segue_options INTERFACE)
target_compile_options(segue_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wunused -Woverloaded-virtual -Werror -fno-omit-frame-pointer)
if(SEGUE_SANITIZE)
  target_compile_options(segue_options INTERFACE -fsanitize=${SEGUE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(segue_options INTERFACE -fsanitize=${SEGUE_SANITIZE})
  target_compile_definitions(segue_options INTERFACE SEGUE_SANITIZED=1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # it warns of libstdc++'s own <regex> when instrumented
    target_compile_options(segue_options INTERFACE -Wno-maybe-uninitialized -Wno-tsan)
  else()  # its check of types opens a pipe, and there are tests without a descriptor
    target_compile_options(segue_options INTERFACE -fno-sanitize=vptr)
  endif()
endif()
if(SEGUE_FUZZERS)
  target_compile_options(segue_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(segue_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# segue_library(NAME SOURCES a.cpp... HEADERS a.hpp... PUBLIC libs... PRIVATE libs...)
# makes the static library segue_NAME of one folder; every header must compile alone
# (target all_verify_interface_header_sets).
function(segue_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(segue_${name} STATIC ${ARG_SOURCES})
  target_sources(segue_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                 FILES ${ARG_HEADERS})
  target_link_libraries(segue_${name} PUBLIC segue_options ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  set_target_properties(segue_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# segue_test(NAME SOURCES a_test.cpp... LIBRARIES libs... LABELS more... FIXTURES needed...
# TIMEOUT seconds PROCESSORS 2) makes NAME_test from Catch2 cases; each case is one ctest test named
# NAME.<case>, labelled NAME and with LABELS. PROCESSORS: as many of ctest's -j are busy with each
# of them, where servers and a load share the machine with what is tested.
function(segue_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PROCESSORS" "SOURCES;LIBRARIES;LABELS;FIXTURES" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_PROCESSORS)
    set(ARG_PROCESSORS 1)
  endif()
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE segue_options ${ARG_LIBRARIES} Catch2::Catch2WithMain)
  # Tests are compiled more often than they run for long: a third of the time goes into optimising.
  target_compile_options(${name}_test PRIVATE -O0)
  if("long" IN_LIST ARG_LABELS AND NOT SEGUE_LONG_TESTS)
    set_target_properties(${name}_test PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  catch_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS ${name} TIMEOUT ${ARG_TIMEOUT} PROCESSORS ${ARG_PROCESSORS})
  if(ARG_LABELS OR ARG_FIXTURES)
    # catch_discover_tests takes lists apart, so they are set on what it found.
    set(properties ${CMAKE_CURRENT_BINARY_DIR}/${name}_test_properties.cmake)
    file(WRITE ${properties} "foreach(test IN LISTS ${name}_test_TESTS)
  set_tests_properties(\"\${test}\" PROPERTIES LABELS \"${name};${ARG_LABELS}\"
                       FIXTURES_REQUIRED \"${ARG_FIXTURES}\"
                       ENVIRONMENT \"SEGUE_FIXTURES=${PROJECT_BINARY_DIR}\")
endforeach()
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${properties})
  endif()
endfunction()

# segue_fuzzer(NAME LIBRARIES libs...) makes fuzz_NAME from fuzz/NAME.cpp, and the test fuzz.NAME, which
# lets it look for SEGUE_FUZZ_SECONDS.
function(segue_fuzzer name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  add_executable(fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}.cpp)
  target_link_libraries(fuzz_${name} PRIVATE segue_options ${ARG_LIBRARIES})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz.${name}
           COMMAND ${PROJECT_SOURCE_DIR}/tests/fuzz/run.sh $<TARGET_FILE:fuzz_${name}>)
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 3600)
endfunction()
