#include "llama_cpp/session.hpp"

#include <act/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace act_llama {

namespace {

void log_errors(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
}

}  // namespace

loaded_model::loaded_model(const std::string& path) {
  llama_log_set(log_errors, nullptr);
  llama_backend_init();
  model_.reset(llama_model_load_from_file(path.c_str(), llama_model_default_params()));
  if (!model_) throw act::error(act::error_code::io, path, "llama.cpp can't load it");
}

std::size_t loaded_model::layers() const noexcept {
  return static_cast<std::size_t>(llama_model_n_layer(model_.get()));
}

std::size_t loaded_model::heads() const noexcept {
  return static_cast<std::size_t>(llama_model_n_head(model_.get()));
}

std::string loaded_model::architecture() const {
  char name[64] = "";
  const std::int32_t length =
      llama_model_meta_val_str(model_.get(), "general.architecture", name, sizeof name);
  return length > 0 ? name : "";
}

std::vector<llama_token> loaded_model::tokens_of(const std::string& text) const {
  const llama_vocab* const vocabulary = llama_model_get_vocab(model_.get());
  std::vector<llama_token> tokens(text.size() + 8);
  const std::int32_t count =
      llama_tokenize(vocabulary, text.data(), static_cast<std::int32_t>(text.size()), tokens.data(),
                     static_cast<std::int32_t>(tokens.size()), true, false);
  if (count <= 0) throw act::error(act::error_code::invalid_input, "prompt", "has no tokens");
  tokens.resize(static_cast<std::size_t>(count));
  return tokens;
}

std::string loaded_model::text_of(llama_token token) const {
  const llama_vocab* const vocabulary = llama_model_get_vocab(model_.get());
  std::string piece(256, '\0');
  const std::int32_t length = llama_token_to_piece(vocabulary, token, piece.data(),
                                                   static_cast<std::int32_t>(piece.size()), 0, false);
  piece.resize(static_cast<std::size_t>(std::max(length, 0)));
  return piece;
}

bool loaded_model::ends_text(llama_token token) const noexcept {
  return llama_vocab_is_eog(llama_model_get_vocab(model_.get()), token);
}

session::session(const loaded_model& model, const session_settings& settings)
    : vocabulary_(static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model.get())))) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = params.n_batch = static_cast<std::uint32_t>(settings.tokens);
  params.n_ubatch =
      static_cast<std::uint32_t>(settings.micro_batch == 0 ? settings.tokens : settings.micro_batch);
  if (settings.threads != 0)
    params.n_threads = params.n_threads_batch = static_cast<std::int32_t>(settings.threads);
  if (settings.float_cache) params.type_k = params.type_v = GGML_TYPE_F32;
  params.flash_attn_type =
      settings.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.cb_eval = settings.callback;
  params.cb_eval_user_data = settings.callback_data;
  context_.reset(llama_init_from_model(model.get(), params));
  if (!context_) throw act::error(act::error_code::invalid_input, "context", "llama.cpp makes none");
}

std::span<const float> session::decode(std::vector<llama_token> tokens) {
  const llama_batch batch = llama_batch_get_one(tokens.data(), static_cast<std::int32_t>(tokens.size()));
  if (llama_decode(context_.get(), batch) != 0)
    throw act::error(act::error_code::invalid_input, "llama_decode", "refuses the tokens");
  return {llama_get_logits_ith(context_.get(), -1), vocabulary_};
}

void session::clear() {
  llama_memory_clear(llama_get_memory(context_.get()), false);
}

llama_token likeliest(std::span<const float> logits) {
  return static_cast<llama_token>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace act_llama
