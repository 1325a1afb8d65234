# Installs the headers and a package: find_package(act) gives act::act, and act::c, act::runtime and act::experiments too
# where COMPONENTS asks for them (the last two need their dependencies, the others don't). pkg-config has the core, as it
# was configured here, and the C library (act-c).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(act_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/act)
configure_package_config_file(cmake/act-config.cmake.in ${PROJECT_BINARY_DIR}/act-config.cmake
  INSTALL_DESTINATION ${act_package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 every minor version may change the interface.
set(act_any_machine ARCH_INDEPENDENT)
if(TARGET act_runtime OR TARGET act_c)
  set(act_any_machine)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/act-config-version.cmake
  COMPATIBILITY SameMinorVersion ${act_any_machine})

install(DIRECTORY include/act DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(FILES ${PROJECT_BINARY_DIR}/act-config.cmake ${PROJECT_BINARY_DIR}/act-config-version.cmake
  DESTINATION ${act_package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# libact: the C library, its header, a target of its own that needs nothing else, and a pkg-config module.
if(TARGET act_c)
  install(TARGETS act_c EXPORT act-c LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT act-c NAMESPACE act:: FILE act-c-targets.cmake DESTINATION ${act_package_dir})
  install(FILES include/act/c.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/act)
endif()

# The compiled layers: libraries, and their headers beside the core's.
if(TARGET act_runtime)
  install(TARGETS act_runtime act_experiments EXPORT act-upper-layers ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT act-upper-layers NAMESPACE act:: FILE act-upper-layers-targets.cmake DESTINATION ${act_package_dir})
  # They link act::act, which CMake exports only from an export set. Users get another one, from act-config.cmake, which
  # looks for xsimd and OpenMP where it is used.
  install(TARGETS act EXPORT act-core)
  install(EXPORT act-core NAMESPACE act:: FILE act-core-targets.cmake DESTINATION ${act_package_dir} EXCLUDE_FROM_ALL)
  install(DIRECTORY src/act DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
  install(FILES cmake/upper-layers.cmake DESTINATION ${act_package_dir})
endif()

# pkg-config: flags as configured, from wherever the prefix lies.
file(RELATIVE_PATH act_pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" act_pc_prefix ${act_pc_prefix})
get_target_property(act_pc_definitions act INTERFACE_COMPILE_DEFINITIONS)
set(act_pc_cflags)
if(act_pc_definitions)
  list(TRANSFORM act_pc_definitions PREPEND -D OUTPUT_VARIABLE act_pc_cflags)
elseif(NOT act_xsimd_include IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  list(APPEND act_pc_cflags -I${act_xsimd_include})
endif()
set(act_pc_libs)
if(ACT_USE_OPENMP AND OpenMP_CXX_FOUND)
  list(APPEND act_pc_cflags ${OpenMP_CXX_FLAGS})
  set(act_pc_libs ${OpenMP_CXX_FLAGS})
endif()
list(JOIN act_pc_cflags " " act_pc_cflags)
list(JOIN act_pc_libs " " act_pc_libs)
configure_file(cmake/act.pc.in ${PROJECT_BINARY_DIR}/act.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/act.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET act_c)
  configure_file(cmake/act-c.pc.in ${PROJECT_BINARY_DIR}/act-c.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/act-c.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
