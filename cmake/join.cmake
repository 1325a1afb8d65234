# Sources joined into few (tests/join_sources.py), for builds that repeat another's sources with other flags: most of what such a
# build takes is the same headers and the same templates, once for each source. The main build leaves every source alone.
option(ACT_JOIN_SOURCES "Compile the core's tests' sources together (needs Python)" OFF)
find_program(ACT_PYTHON python3)

# act_join_sources(variable name [UNITS count] SOURCES files...): variable becomes the joined sources, or what it was.
function(act_join_sources variable name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "UNITS" "SOURCES")
  if(NOT ACT_JOIN_SOURCES OR NOT ACT_PYTHON OR NOT arg_SOURCES)
    return()
  endif()
  set(units)
  if(arg_UNITS)
    set(units --units ${arg_UNITS})
  endif()
  execute_process(COMMAND ${ACT_PYTHON} ${PROJECT_SOURCE_DIR}/tests/join_sources.py ${CMAKE_CURRENT_BINARY_DIR}/joined/${name}
    ${units} ${arg_SOURCES} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
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
