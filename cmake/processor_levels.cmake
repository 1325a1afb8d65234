# The programs once more for each level of ACT_PROGRAM_LEVELS, from the same sources with the same settings, installed where
# the portable ones look for them (examples/programs/processor_level.hpp).
include(ExternalProject)
foreach(level IN LISTS ACT_PROGRAM_LEVELS)
  set(folder ${PROJECT_BINARY_DIR}/levels/${level})
  list(TRANSFORM act_program_targets PREPEND ${folder}/examples/ OUTPUT_VARIABLE programs)
  ExternalProject_Add(act_programs_${level}
    SOURCE_DIR ${PROJECT_SOURCE_DIR} BINARY_DIR ${folder}
    PREFIX ${PROJECT_BINARY_DIR}/levels/${level}-steps
    CMAKE_ARGS -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE} "-DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS} -march=${level}"
      -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DACT_USE_MPI=${ACT_USE_MPI} -DACT_USE_XSIMD=${ACT_USE_XSIMD}
      -DACT_USE_OPENMP=${ACT_USE_OPENMP} -DACT_BUILD_TESTS=OFF -DACT_BUILD_BENCHMARKS=OFF -DACT_INSTALL=OFF
    BUILD_COMMAND ${CMAKE_COMMAND} --build ${folder} --target ${act_program_targets}
    INSTALL_COMMAND "" BUILD_ALWAYS ON USES_TERMINAL_BUILD ON BUILD_BYPRODUCTS ${programs})
  install(PROGRAMS ${programs} DESTINATION libexec/act/${level})
endforeach()
