# A program without exceptions aborts at an error, with its line on stderr.
# cmake -D program=FILE -D expected=TEXT -P no_exceptions_refusal.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${program} bad RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
message("ended: ${result}; ${error}")
if(result STREQUAL "0" OR NOT error STREQUAL "${expected}\n" OR NOT output STREQUAL "")
  message(FATAL_ERROR "should have printed \"${expected}\" and no more")
endif()
