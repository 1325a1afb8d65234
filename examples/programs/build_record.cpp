#include "programs/build_record.hpp"

#ifndef ACT_GIT_REVISION
#define ACT_GIT_REVISION "unknown"
#endif
#ifndef ACT_COMPILER_FLAGS
#define ACT_COMPILER_FLAGS "unknown"
#endif

namespace act_program {

const act::report::build_record& built() {
  static const act::report::build_record record{.revision = ACT_GIT_REVISION, .flags = ACT_COMPILER_FLAGS};
  return record;
}

}  // namespace act_program
