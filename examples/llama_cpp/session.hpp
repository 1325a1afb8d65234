// llama.cpp as this folder's programs use it: a model, a context of one sequence, its last logits. For
// showing the hook; an engine has all of this already.
#pragma once

#include <llama.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "llama_cpp/hook/attention_hook.hpp"

namespace act_llama {

/// A loaded model. llama.cpp's own log is silenced but for errors.
class loaded_model {
 public:
  /// Throws act::error (io) when llama.cpp can't load it.
  explicit loaded_model(const std::string& path);

  [[nodiscard]] llama_model* get() const noexcept { return model_.get(); }
  [[nodiscard]] std::size_t layers() const noexcept;
  [[nodiscard]] std::size_t heads() const noexcept;
  [[nodiscard]] std::string architecture() const;

  /// With the special tokens that the model begins a text with; special tokens in the text are text.
  [[nodiscard]] std::vector<llama_token> tokens_of(const std::string& text) const;
  [[nodiscard]] std::string text_of(llama_token token) const;
  [[nodiscard]] bool ends_text(llama_token token) const noexcept;

 private:
  struct release {
    void operator()(llama_model* model) const noexcept { llama_model_free(model); }
  };
  std::unique_ptr<llama_model, release> model_;
};

struct session_settings {
  std::size_t tokens = 0;       ///< of the context
  std::size_t micro_batch = 0;  ///< 0: as many as the context has, so that a prompt is one map
  std::size_t threads = 0;      ///< 0: llama.cpp's default
  bool float_cache = false;     ///< keys and values in float, not in half precision
  bool flash_attention = false;
  ggml_backend_sched_eval_callback callback = nullptr;  ///< with its data
  void* callback_data = nullptr;
};

class session {
 public:
  /// Throws act::error (invalid_input) when llama.cpp makes no such context.
  session(const loaded_model& model, const session_settings& settings);

  /// Runs the tokens behind those before. Returns the last one's logits, valid until the next call. Throws
  /// act::error (invalid_input) when llama.cpp refuses.
  std::span<const float> decode(std::vector<llama_token> tokens);
  void clear();

 private:
  struct release {
    void operator()(llama_context* context) const noexcept { llama_free(context); }
  };
  std::unique_ptr<llama_context, release> context_;
  std::size_t vocabulary_ = 0;
};

/// The token with the largest logit, the first of them.
[[nodiscard]] llama_token likeliest(std::span<const float> logits);

}  // namespace act_llama
