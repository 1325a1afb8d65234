// What a request is refused with.
#pragma once

#include <act/serve/refusal.hpp>

#include <string>

namespace act_test {

struct refused_request {
  int status = 0;  ///< 0: it wasn't
  std::string parameter, message;
};

template <class Call>
refused_request refused(Call&& call) {
  try {
    call();
  } catch (const act::serve::refusal& why) {
    return {.status = why.status(), .parameter = why.parameter(), .message = why.what()};
  }
  return {};
}

}  // namespace act_test
