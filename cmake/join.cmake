# Sources joined into few (tests/join_sources.py): most of what they take to compile is the same headers and the same templates,
# once for each source. For builds that repeat another's sources with other flags, and for tests that are built to be run once. While
# you work on a source leave it off: one that changes takes its whole unit with it.
set(ACT_JOIN_SOURCES OFF CACHE STRING "Compile sources together (needs Python): OFF, TESTS, or ON for libraries too")
set_property(CACHE ACT_JOIN_SOURCES PROPERTY STRINGS OFF TESTS ON)
find_program(ACT_PYTHON python3)

# act_join_sources(variable name [UNITS count] [OF_TESTS] SOURCES files...): variable becomes the joined sources, or what it was.
# OF_TESTS: what ACT_JOIN_SOURCES=TESTS joins.
function(act_join_sources variable name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "OF_TESTS" "UNITS" "SOURCES")
  if(NOT ACT_JOIN_SOURCES OR NOT ACT_PYTHON OR NOT arg_SOURCES)
    return()
  endif()
  if(ACT_JOIN_SOURCES STREQUAL "TESTS" AND NOT arg_OF_TESTS)
    return()
  endif()
  set(units)
  if(arg_UNITS)
    set(units --units ${arg_UNITS})
  endif()
  execute_process(COMMAND ${ACT_PYTHON} ${PROJECT_SOURCE_DIR}/tests/join_sources.py ${CMAKE_CURRENT_BINARY_DIR}/joined/${name}
    --linked ${units} ${arg_SOURCES} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" lines "${lines}")
  set(joined)
  foreach(line IN LISTS lines)
    string(REGEX REPLACE " .*" "" unit "${line}")
    list(APPEND joined ${unit})
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/join_sources.py)
  # A local name may be another source's own, and what #line names looks like a header.
  set_source_files_properties(${joined} PROPERTIES
    COMPILE_OPTIONS "-Wno-shadow;$<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>")
  set(${variable} ${joined} PARENT_SCOPE)
endfunction()
