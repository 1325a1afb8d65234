// What an error says: tests compare whole messages, because people act on them.
#pragma once

#include <act/error.hpp>

#include <string>

namespace act_test {

/// The message of the act::error that `call` throws; empty when it throws none. Other exceptions pass
/// through: they fail the test.
template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const act::error& thrown) {
    return thrown.what();
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
