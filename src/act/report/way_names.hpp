// What the two ways of running a model are called that a result compares.
#pragma once

#include <algorithm>
#include <string>

namespace act::report {

struct way_names {
  std::string first = "plain";
  std::string second = "calibrated";

  /// The second way's in JSON: with _ for spaces.
  [[nodiscard]] std::string key() const {
    std::string made = second;
    std::replace(made.begin(), made.end(), ' ', '_');
    return made;
  }
};

}  // namespace act::report
