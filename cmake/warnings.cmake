# Warnings for our own targets only; nothing here reaches the exported ones.
add_library(act_warnings INTERFACE)
target_compile_options(act_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${ACT_WARNINGS_AS_ERRORS}>:-Werror>)
