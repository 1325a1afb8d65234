"""The header-only core for Conan 2: `conan create .`, and `requires("act/VERSION")` in an outside project.

The package is what `cmake --install` writes, so find_package(act) gives the same act::act as everywhere: it looks for xsimd
(SIMD kernels) and OpenMP (threads) where it is used, and does without what it doesn't find. A project that wants
xsimd from Conan too requires it itself. docs/core.md; tests/conan.sh builds and uses the package.
"""

import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import load


class Act(ConanFile):
    name = "act"
    description = "Attention calibration (ACT): a header-only C++20 core"
    license = "Apache-2.0"
    topics = ("attention", "transformers", "calibration", "simd", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"  # to configure with; the package is one for all of them
    exports_sources = "CMakeLists.txt", "LICENSE", "cmake/*", "docs/doxygen/*", "include/*"

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include/act/version.hpp"))
        self.version = ".".join(re.findall(r"define ACT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for option in ("PROGRAMS", "C", "TESTS", "BENCHMARKS"):
            toolchain.cache_variables[f"ACT_BUILD_{option}"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")  # find_package finds the package's own configuration
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "act")]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
