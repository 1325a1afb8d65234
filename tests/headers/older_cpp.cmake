# Before C++20 every public header's first error says so, and what to do.
# cmake -D include=FOLDER -D compiler=PROGRAM -P older_cpp.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB headers RELATIVE ${include} ${include}/act/*.hpp)
foreach(header IN LISTS headers)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/older_cpp.cpp "#include <${header}>\n")
  execute_process(COMMAND ${compiler} -std=c++17 -fsyntax-only -fmax-errors=1 -I${include} ${CMAKE_CURRENT_BINARY_DIR}/older_cpp.cpp
    RESULT_VARIABLE result ERROR_VARIABLE errors)
  string(REGEX MATCH "error: [^\n]*" first "${errors}")
  if(result EQUAL 0 OR NOT first MATCHES "act needs C\\+\\+20: compile with -std=c\\+\\+20")
    message(FATAL_ERROR "${header}: the first error is: ${first}")
  endif()
endforeach()
message("${first}")
