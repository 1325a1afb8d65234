# What the layers above the core depend on: in one place for this build and for the installed package.

# The reference runtime: text and files, model files, tokenizers, the transformer.
macro(act_find_runtime_dependencies)
  find_package(PkgConfig REQUIRED)
  find_package(Eigen3 3.4 REQUIRED NO_MODULE)
  find_package(nlohmann_json 3.9 REQUIRED)
  pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
  pkg_check_modules(MD REQUIRED IMPORTED_TARGET libmd)
  pkg_check_modules(SENTENCEPIECE QUIET IMPORTED_TARGET sentencepiece)
  pkg_check_modules(UTF8PROC QUIET IMPORTED_TARGET libutf8proc)
  pkg_check_modules(LIBZIP QUIET IMPORTED_TARGET libzip)
endmacro()

# The experiments: tasks, statistics, head search, reports, suites.
macro(act_find_experiments_dependencies)
  find_package(SQLite3 REQUIRED)
  pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
  pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
endmacro()
