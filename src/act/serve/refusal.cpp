#include <act/io/json_document.hpp>
#include <act/serve/refusal.hpp>

#include <string>

namespace act::serve {

std::string refusal::body() const {
  const char* const type = status_ == 503  ? "overloaded_error"
                           : status_ < 500 ? "invalid_request_error"
                                           : "server_error";
  const io::json_document none;
  return io::json_document::object(
             {{"error", io::json_document::object({{"message", message_},
                                                   {"type", type},
                                                   {"param", parameter_.empty() ? none : parameter_},
                                                   {"code", none}})}})
      .text();
}

}  // namespace act::serve
