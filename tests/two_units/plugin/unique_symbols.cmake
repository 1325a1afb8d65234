# No symbol of act in a library is unique to the process (STB_GNU_UNIQUE): such a library can't be unloaded.
# cmake -D nm=PROGRAM -D library=FILE -P unique_symbols.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${nm} -C ${library} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(NOT symbols MATCHES "act::")
  message(FATAL_ERROR "${library} has no symbol of act")
endif()
string(REGEX MATCHALL "[0-9a-f]+ u [^\n]*act::[^\n]*" unique "${symbols}")
if(unique)
  message(FATAL_ERROR "unique in the whole process: ${unique}")
endif()
message("no symbol of act is unique in the process")
