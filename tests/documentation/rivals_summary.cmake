# docs/rivals.md's summary is what docs/study/rivals.py makes of its tables:  cmake -D source=... -D python=... -P rivals_summary.cmake
cmake_minimum_required(VERSION 3.25)

set(page ${source}/docs/rivals.md)
execute_process(COMMAND ${python} ${source}/docs/study/rivals.py --summary ${page} OUTPUT_VARIABLE summary
  COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${summary}" summary)
file(READ ${page} text)
string(FIND "${text}" "${summary}" found)
if(summary STREQUAL "" OR found EQUAL -1)
  message(FATAL_ERROR "docs/rivals.md doesn't have the summary of its tables:\n${summary}")
endif()
