# Reference pages of the core's public headers, by Doxygen: target `reference`, pages in <build>/reference/html.
# Warnings are errors: every public name, parameter and result has its description.
find_program(ACT_DOXYGEN doxygen)
mark_as_advanced(ACT_DOXYGEN)
if(ACT_DOXYGEN)
  set(ACT_REFERENCE_DIR ${PROJECT_BINARY_DIR}/reference)
  file(MAKE_DIRECTORY ${ACT_REFERENCE_DIR})
  configure_file(${PROJECT_SOURCE_DIR}/docs/doxygen/Doxyfile.in ${PROJECT_BINARY_DIR}/reference.doxyfile @ONLY)
  add_custom_target(reference
    COMMAND ${ACT_DOXYGEN} ${PROJECT_BINARY_DIR}/reference.doxyfile
    COMMENT "Reference pages: ${ACT_REFERENCE_DIR}/html/index.html" VERBATIM)
endif()
