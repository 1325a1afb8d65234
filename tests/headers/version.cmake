# version.hpp's number (which CMake and Meson read) is that of the citation file and the newest one of the changelog.
# cmake -D source=FOLDER -D version=NUMBER -P version.cmake
cmake_minimum_required(VERSION 3.25)
file(STRINGS ${source}/CITATION.cff cited REGEX "^version: ")
file(STRINGS ${source}/CHANGELOG.md changes REGEX "^## ")
list(GET changes 0 newest)
if(NOT cited STREQUAL "version: ${version}" OR NOT newest MATCHES "^## ${version}( |$)")
  message(FATAL_ERROR "version.hpp says ${version}, CITATION.cff \"${cited}\", CHANGELOG.md \"${newest}\"")
endif()
