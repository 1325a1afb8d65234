# What the layers above the core depend on: in one place for this build and for the installed package.

# The reference runtime: model files, tokenizers, the transformer.
macro(act_link_runtime target)
  find_package(PkgConfig REQUIRED)
  find_package(Eigen3 3.4 REQUIRED NO_MODULE)
  find_package(nlohmann_json 3.9 REQUIRED)
  pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
  target_link_libraries(${target} INTERFACE
    act::act Eigen3::Eigen PkgConfig::PCRE2 nlohmann_json::nlohmann_json)
  # Two kinds of tokenizer need a library of their own; without it they are refused by name.
  pkg_check_modules(SENTENCEPIECE QUIET IMPORTED_TARGET sentencepiece)
  if(SENTENCEPIECE_FOUND)
    target_link_libraries(${target} INTERFACE PkgConfig::SENTENCEPIECE)
    target_compile_definitions(${target} INTERFACE ACT_HAS_SENTENCEPIECE)
  endif()
  pkg_check_modules(UTF8PROC QUIET IMPORTED_TARGET libutf8proc)
  if(UTF8PROC_FOUND)
    target_link_libraries(${target} INTERFACE PkgConfig::UTF8PROC)
    target_compile_definitions(${target} INTERFACE ACT_HAS_UTF8PROC)
  endif()
endmacro()

# The experiments: tasks, statistics, head search, reports.
macro(act_link_experiments target)
  find_package(SQLite3 REQUIRED)
  pkg_check_modules(MD REQUIRED IMPORTED_TARGET libmd)
  target_link_libraries(${target} INTERFACE act::runtime SQLite::SQLite3 PkgConfig::MD)
endmacro()
