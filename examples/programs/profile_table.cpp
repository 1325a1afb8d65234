#include "programs/profile_table.hpp"

#include <act/report/number_text.hpp>
#include <act/report/table.hpp>
#include <act/runtime/products/kernel_table.hpp>

#include <cstddef>
#include <string>

namespace act_program {

std::string profile_table(const act::runtime::runtime_profile& of) {
  using act::report::formatted;
  double seconds = 0;
  for (const act::runtime::operation_cost& each : of)
    seconds += each.seconds;
  act::report::text_table table({"operation", "calls", "seconds", "share", "GFLOP/s", "GB/s"});
  for (std::size_t i = 0; i < of.size(); ++i) {
    const act::runtime::operation_cost& cost = of[i];
    if (cost.calls == 0) continue;
    const auto rate = [&](double work) {
      return work > 0 && cost.seconds > 0 ? formatted("%.1f", work * 1e-9 / cost.seconds) : std::string();
    };
    table.add({std::string(name_of(static_cast<act::runtime::operation>(i))), std::to_string(cost.calls),
               formatted("%.3f", cost.seconds),
               formatted("%.1f %%", seconds > 0 ? 100 * cost.seconds / seconds : 0),
               rate(2 * cost.multiply_adds), rate(cost.bytes)});
  }
  return "\nkernels " + std::string(act::runtime::kernels().name) + "\n" + table.str();
}

}  // namespace act_program
