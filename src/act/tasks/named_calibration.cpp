#include <act/error.hpp>
#include <act/options.hpp>
#include <act/tasks/named_calibration.hpp>
#include <act/tasks/option_names.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace act::tasks {

bool redistribution_name::has_theta() const noexcept {
  return name == inverse_temperature || name == name_of(redistribution::temperature);
}

std::string listed_redistributions() {
  return listed_options<redistribution>() + ", " + std::string(inverse_temperature);
}

redistribution_name redistribution_of(const calibration_options& options) {
  const double inverse = 1 / options.theta;
  if (options.redistribute == redistribution::temperature && options.theta < 1 &&
      1 / inverse == options.theta) {
    return {std::string(inverse_temperature), inverse};
  }
  return {std::string(name_of(options.redistribute)), options.theta};
}

void set_redistribution(calibration_options& options, const redistribution_name& named,
                        std::string_view where) {
  if (named.name == inverse_temperature) {
    options.redistribute = redistribution::temperature;
    options.theta = 1 / named.theta;
    return;
  }
  const auto found = find_option<redistribution>(named.name);
  if (!found) {
    throw error(error_code::invalid_option, where,
                "'" + named.name + "' is none of " + listed_redistributions());
  }
  options.redistribute = *found;
  options.theta = named.theta;
}

problem named_calibration::validate() const noexcept {
  const bool wanted = options.redistribute == redistribution::subset;
  const bool spans = options.columns == column_choice::span;
  if (wanted && spans) return {"columns", "must be sinks with redistribution subset"};
  if (spans && !subset) return {"columns", "must say which part of a prompt is changed"};
  if (spans) {
    constexpr std::array<std::size_t, 1> first{};
    calibration_options checked = options;
    checked.span = first;
    return checked.validate();
  }
  if (wanted && !subset) return {"subset", "must say which part of a prompt receives: question or choices"};
  if (!wanted && subset)
    return {"subset", "is for redistribution subset only: leave it out, or ask for that"};
  constexpr std::array<std::size_t, 1> some_position{};
  calibration_options checked = options;
  if (wanted) checked.subset = some_position;
  return checked.validate();
}

std::string listed_columns() {
  return listed_options<column_choice>() + ", " + listed_options<prompt_part>();
}

std::string columns_of(const named_calibration& calibration) {
  if (calibration.options.columns != column_choice::span)
    return std::string(name_of(calibration.options.columns));
  return calibration.subset ? std::string(name_of(*calibration.subset)) : std::string();
}

void set_columns(named_calibration& calibration, std::string_view name, std::string_view where) {
  if (const auto found = find_option<column_choice>(name)) {
    if (calibration.options.columns == column_choice::span) calibration.subset.reset();
    calibration.options.columns = *found;
    return;
  }
  const auto part = find_option<prompt_part>(name);
  if (!part) {
    throw error(error_code::invalid_option, where,
                "'" + std::string(name) + "' is none of " + listed_columns());
  }
  calibration.options.columns = column_choice::span;
  calibration.subset = *part;
}

}  // namespace act::tasks
