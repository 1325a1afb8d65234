# Warnings for our own targets only; nothing here reaches the exported ones.
add_library(act_warnings INTERFACE)
# Two defects of GCC 12, both mended in 13: it reports its own AVX-512 intrinsics as uninitialised wherever they are
# inlined (GCC bug 105593), and "text" + std::string as overlapping copies (105651). The core keeps the first from whoever
# includes it; Eigen doesn't, so targets that see Eigen do without these two checks. clang's stay on.
set(act_sees_eigen $<BOOL:$<FILTER:$<TARGET_PROPERTY:INCLUDE_DIRECTORIES>,INCLUDE,[Ee]igen>>)
target_compile_options(act_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${ACT_WARNINGS_AS_ERRORS}>:-Werror>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict
    $<${act_sees_eigen}:-Wno-uninitialized$<SEMICOLON>-Wno-maybe-uninitialized>>)
