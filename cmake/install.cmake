# Installs the headers and a package that finds them: find_package(act) gives act::act.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(DIRECTORY include/act DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
