// What an error says: tests compare whole messages, because people act on them.
#pragma once

#include <act/error.hpp>

#include <string>

namespace act_test {

/// The message of the act::error that `call` throws; empty when it throws none.
template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const act::error& thrown) {
    return thrown.what();
  }
  return {};
}

}  // namespace act_test
