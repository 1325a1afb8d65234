# SECURITY.md names the release's minor version:  cmake -D source=FOLDER -D version=RELEASE -P security.cmake
cmake_minimum_required(VERSION 3.25)
file(READ ${source}/SECURITY.md text)
string(REGEX REPLACE "^([0-9]+)[.]([0-9]+)[.].*" "\\1.\\2" minor "${version}")
string(FIND "${text}" "the latest minor version, now ${minor}." at)
if(at EQUAL -1)
  message(FATAL_ERROR "SECURITY.md: doesn't say 'the latest minor version, now ${minor}.'")
endif()
