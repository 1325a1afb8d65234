// The models that are served, by name: one checkpoint's weights under several names, plain and with heads
// calibrated.
#pragma once

#include <act/runtime/conversation.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::serve {

/// How a model's conversations are written; `write` is empty for a model that can't hold one.
struct served_chat {
  std::function<std::vector<runtime::token_id>(std::span<const runtime::chat_turn>)> write;
  std::vector<runtime::token_id> ends;  ///< of an answer, beside the tokenizer's own
  std::string missing;                  ///< where there is none: why, and how to mend it
};

struct served_model {
  std::string name;
  const runtime::model* model = nullptr;
  const runtime::tokenizer* tokenizer = nullptr;
  runtime::model_calibration calibration;  ///< no heads: plain
};

class served_models {
 public:
  /// Model and tokenizer must outlive this; `chat` is that of all names.
  served_models(const runtime::model& model, const runtime::tokenizer& by, served_chat chat);

  /// Throws `error` (invalid_option) for a name that is taken or isn't one: letters, digits and . _ - @ : /
  /// (those that clients' configurations have), at most 128.
  void add(const std::string& name, runtime::model_calibration calibration);

  /// Throws `refusal` (404) that lists the names there are.
  [[nodiscard]] const served_model& find(std::string_view name) const;
  [[nodiscard]] std::span<const served_model> all() const noexcept { return models_; }
  [[nodiscard]] const served_chat& chat() const noexcept { return chat_; }

 private:
  const runtime::model* model_;
  const runtime::tokenizer* by_;
  served_chat chat_;
  std::vector<served_model> models_;
};

}  // namespace act::serve
