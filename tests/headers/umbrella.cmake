# act.hpp includes the public headers of the core, all of them, and nothing else.
# cmake -D include=FOLDER -P umbrella.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB public RELATIVE ${include} ${include}/act/*.hpp)
list(REMOVE_ITEM public act/act.hpp)
file(STRINGS ${include}/act/act.hpp included REGEX "^#include")
list(TRANSFORM included REPLACE "^#include <(.*)>$" "\\1")
set(missing ${public})
list(REMOVE_ITEM missing ${included})
list(REMOVE_ITEM included ${public})
if(missing OR included)
  message(FATAL_ERROR "act.hpp lacks: ${missing}; includes beside public headers: ${included}")
endif()
