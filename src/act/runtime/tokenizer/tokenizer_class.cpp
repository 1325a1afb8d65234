#include <act/runtime/tokenizer/tokenizer_class.hpp>

#include <string_view>

namespace act::runtime {
namespace {

constexpr std::string_view general_name = "TokenizersBackend";

// The class registered for a model type; a wrong one that its published files name is passed over.
struct registered_class {
  std::string_view model_type, name;
  bool passes_over_named = false;
};
constexpr registered_class registered[] = {
    {"code_llama", "CodeLlamaTokenizer"},
    {"gemma", "GemmaTokenizer"},
    {"gemma2", "GemmaTokenizer"},
    {"gemma3", "GemmaTokenizer"},
    {"gemma3_text", "GemmaTokenizer"},
    {"gpt2", "GPT2Tokenizer"},
    {"gpt_neo", "GPT2Tokenizer"},
    {"gpt_neox", "GPTNeoXTokenizer"},
    {"gptj", "GPT2Tokenizer"},
    {"mistral", general_name},
    {"mixtral", general_name},
    {"olmo2", general_name},
    {"opt", "GPT2Tokenizer"},
    {"phi", "GPT2Tokenizer"},
    {"phi3", general_name},
    {"qwen2", "Qwen2Tokenizer", true},
    {"qwen3", "Qwen2Tokenizer"},
    {"stablelm", general_name},
    {"starcoder2", "GPT2Tokenizer"},
};

}  // namespace

tokenizer_class class_of(std::string_view named, std::string_view model_type) {
  std::string_view name = named;
  for (const registered_class& each : registered) {
    if (each.model_type != model_type) continue;
    if (named.empty() || each.name == general_name || each.passes_over_named) name = each.name;
  }
  if (name == "LlamaTokenizer") return tokenizer_class::llama;
  if (name == "CodeLlamaTokenizer") return tokenizer_class::code_llama;
  for (const std::string_view own :
       {"GPT2Tokenizer", "GPTNeoXTokenizer", "Qwen2Tokenizer", "CodeGenTokenizer"})
    if (name == own) return tokenizer_class::byte_level;
  return tokenizer_class::general;
}

}  // namespace act::runtime
