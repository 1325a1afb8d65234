// The message act refuses something with, for tests that check what it says.
#pragma once

#include <act/error.hpp>

#include <string>

namespace act_test {

/// what() of the act::error that `action` throws, or "" when it throws none. Other exceptions pass through:
/// they fail the test.
template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const act::error& refused) {
    return refused.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// One line, and it names `file`: what every refusal of a file's content must be.
inline bool is_one_line_about(const std::string& message, const std::string& file) {
  return contains(message, file) && !contains(message, "\n") && !contains(message, "\r");
}

}  // namespace act_test
