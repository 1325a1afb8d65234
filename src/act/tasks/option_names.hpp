// The names that command lines and heads files use for calibration's options, in one place.
#pragma once

#include <act/error.hpp>
#include <act/options.hpp>
#include <act/tasks/prompt_part.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace act::tasks {

/// Pairs of name and value of the enumeration `Option`.
template <class Option>
inline constexpr std::array<std::pair<std::string_view, Option>, 0> option_names = {};

template <>
inline constexpr std::array<std::pair<std::string_view, sink_rule>, 3> option_names<sink_rule> = {
    {{"relative", sink_rule::relative},
     {"absolute", sink_rule::absolute},
     {"baseline-corrected", sink_rule::baseline_corrected}}};

/// The core's; the names in use are those of named_calibration.hpp.
template <>
inline constexpr std::array<std::pair<std::string_view, redistribution>, 6> option_names<redistribution> = {
    {{"proportional", redistribution::proportional},
     {"uniform", redistribution::uniform},
     {"subset", redistribution::subset},
     {"inverse", redistribution::inverse},
     {"temperature", redistribution::temperature},
     {"renormalised", redistribution::renormalised}}};

/// What redistribution::subset gives to, or a span is: its positions are another prompt's each time.
template <>
inline constexpr std::array<std::pair<std::string_view, prompt_part>, 3> option_names<prompt_part> = {
    {{"question", prompt_part::question},
     {"choices", prompt_part::choices},
     {"instruction", prompt_part::instruction}}};

/// The columns that aren't a part of a prompt: named_calibration.hpp has all names.
template <>
inline constexpr std::array<std::pair<std::string_view, column_choice>, 2> option_names<column_choice> = {
    {{"sinks", column_choice::sinks}, {"initial-token", column_choice::initial_token}}};

template <>
inline constexpr std::array<std::pair<std::string_view, compatibility>, 2> option_names<compatibility> = {
    {{"none", compatibility::none}, {"authors", compatibility::authors}}};

/// The name of a value; empty for one that has none.
template <class Option>
[[nodiscard]] constexpr std::string_view name_of(Option value) noexcept {
  for (const auto& [name, named] : option_names<Option>) {
    if (named == value) {
      return name;
    }
  }
  return {};
}

/// The value of a name; empty for an unknown one.
template <class Option>
[[nodiscard]] constexpr std::optional<Option> find_option(std::string_view name) noexcept {
  for (const auto& [each, value] : option_names<Option>) {
    if (each == name) {
      return value;
    }
  }
  return std::nullopt;
}

/// "relative, absolute" and the like, for messages.
template <class Option>
[[nodiscard]] std::string listed_options() {
  std::string list;
  for (const auto& [name, value] : option_names<Option>) {
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  return list;
}

/// The value of a name. Throws error (invalid_option) at `where` that lists the names there are.
template <class Option>
[[nodiscard]] Option option_named(std::string_view name, std::string_view where) {
  if (const std::optional<Option> found = find_option<Option>(name)) {
    return *found;
  }
  throw error(error_code::invalid_option, where,
              "'" + std::string(name) + "' is none of " + listed_options<Option>());
}

}  // namespace act::tasks
