# Installs the headers and a package: find_package(act) gives act::act, and act::runtime and act::experiments too where
# COMPONENTS asks for them (they need their dependencies, the core doesn't).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(act_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/act)
configure_package_config_file(cmake/act-config.cmake.in ${PROJECT_BINARY_DIR}/act-config.cmake
  INSTALL_DESTINATION ${act_package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/act-config-version.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)

install(DIRECTORY include/act DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/act-config.cmake ${PROJECT_BINARY_DIR}/act-config-version.cmake
    cmake/upper-layers.cmake
  DESTINATION ${act_package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
