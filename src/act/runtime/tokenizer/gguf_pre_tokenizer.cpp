#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/gguf_pre_tokenizer.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/split_rule.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

// Contractions in either case, letters with one sign before them, digits by threes, signs with the line
// breaks behind them.
constexpr std::string_view llama3_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// The same with single digits.
constexpr std::string_view qwen2_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// The same with marks among the letters.
constexpr std::string_view qwen35_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Words cut where capitals follow small letters.
constexpr std::string_view tekken_pattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// The same with contractions and digits by threes.
constexpr std::string_view gpt4o_pattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Everything between spaces and the sentence signs of several scripts.
constexpr std::string_view bloom_pattern = R"( ?[^(\s|.,!?…。，、।۔،)]+)";

// What lies between the matches of these is a piece too.
constexpr std::array default_patterns{std::string_view(R"([\p{P}\$\+<=>\^~\|]+)"), gpt2_pattern,
                                      std::string_view(R"(\p{N}+)"), std::string_view("[0-9][0-9][0-9]")};
constexpr std::array gpt2_patterns{gpt2_pattern};
constexpr std::array smollm_patterns{digit_pattern, gpt2_pattern};
constexpr std::array llama3_patterns{llama3_pattern};
constexpr std::array qwen2_patterns{qwen2_pattern};
constexpr std::array qwen35_patterns{qwen35_pattern};
constexpr std::array tekken_patterns{tekken_pattern};
constexpr std::array gpt4o_patterns{gpt4o_pattern};
constexpr std::array bloom_patterns{bloom_pattern};
constexpr std::array viking_patterns{bloom_pattern, std::string_view(R"(\p{N})")};
constexpr std::array falcon_patterns{std::string_view(R"([\p{P}\$\+<=>\^~\|`]+)"), gpt2_pattern,
                                     std::string_view("[0-9][0-9][0-9]")};
constexpr std::array deepseek3_patterns{
    std::string_view(R"(\p{N}{1,3})"), std::string_view("[一-龥぀-ゟ゠-ヿ]+"),
    std::string_view(
        R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)")};

struct named_patterns {
  std::string_view name;
  std::span<const std::string_view> patterns;
  bool whole_pieces = false, add_bos = false;
};

constexpr std::array known{
    named_patterns{"default", default_patterns},
    // GPT-2's
    named_patterns{"gpt-2", gpt2_patterns},
    named_patterns{"phi-2", gpt2_patterns},
    named_patterns{"mpt", gpt2_patterns},
    named_patterns{"olmo", gpt2_patterns},
    named_patterns{"jais", gpt2_patterns},
    named_patterns{"gigachat", gpt2_patterns},
    named_patterns{"mellum", gpt2_patterns},
    named_patterns{"a.x-4.0", gpt2_patterns},
    named_patterns{"exaone4", gpt2_patterns},
    named_patterns{"trillion", gpt2_patterns},
    named_patterns{"granite-docling", gpt2_patterns},
    // every digit alone first
    named_patterns{"smollm", smollm_patterns},
    named_patterns{"starcoder", smollm_patterns},
    named_patterns{"refact", smollm_patterns},
    named_patterns{"command-r", smollm_patterns},
    named_patterns{"codeshell", smollm_patterns},
    named_patterns{"exaone", smollm_patterns},
    named_patterns{"minerva-7b", smollm_patterns},
    named_patterns{"mellum2", smollm_patterns},
    // Llama 3's: the vocabulary has whole words beyond the merges
    named_patterns{"llama-bpe", llama3_patterns, true, true},
    named_patterns{"llama3", llama3_patterns, true, true},
    named_patterns{"llama-v3", llama3_patterns, true, true},
    named_patterns{"falcon3", llama3_patterns, true, true},
    named_patterns{"falcon-h1", llama3_patterns, true, true},
    named_patterns{"pixtral", llama3_patterns, true, true},
    named_patterns{"midm-2.0", llama3_patterns, true, true},
    named_patterns{"lfm2", llama3_patterns, true, true},
    named_patterns{"dbrx", llama3_patterns},
    named_patterns{"smaug-bpe", llama3_patterns},
    // Qwen 2's
    named_patterns{"qwen2", qwen2_patterns},
    named_patterns{"stablelm2", qwen2_patterns},
    named_patterns{"deepseek-r1-qwen", qwen2_patterns},
    named_patterns{"megrez", qwen2_patterns},
    named_patterns{"kormo", qwen2_patterns},
    named_patterns{"hunyuan", qwen2_patterns},
    named_patterns{"solar-open", qwen2_patterns},
    named_patterns{"grok-2", qwen2_patterns},
    named_patterns{"qwen35", qwen35_patterns},
    // words at their capitals
    named_patterns{"tekken", tekken_patterns, true, true},
    named_patterns{"gpt-4o", gpt4o_patterns},
    named_patterns{"llama4", gpt4o_patterns},
    named_patterns{"kanana2", gpt4o_patterns},
    // BLOOM's
    named_patterns{"bloom", bloom_patterns},
    named_patterns{"poro-chat", bloom_patterns},
    named_patterns{"gpt3-finnish", bloom_patterns},
    named_patterns{"viking", viking_patterns},
    named_patterns{"falcon", falcon_patterns},
    named_patterns{"deepseek-v3", deepseek3_patterns},
};

}  // namespace

gguf_pre_tokenizer find_gguf_pre_tokenizer(std::string_view name, const std::string& file) {
  const auto* const found =
      std::find_if(known.begin(), known.end(), [&](const named_patterns& each) { return each.name == name; });
  if (found == known.end()) {
    std::string names;
    for (const named_patterns& each : known)
      names += (names.empty() ? "" : ", ") + std::string(each.name);
    throw error(error_code::unsupported, file,
                "metadata 'tokenizer.ggml.pre' is '" + io::printable(name) +
                    "', a pre-tokenizer act doesn't have; it has " + names);
  }
  gguf_pre_tokenizer made;
  made.whole_pieces = found->whole_pieces;
  made.add_bos = found->add_bos;
  for (const std::string_view pattern : found->patterns)
    made.cuts.add_split(pattern, split_behaviour::isolated, "the pattern of " + std::string(name));
  made.cuts.add_byte_level(false, false);
  return made;
}

}  // namespace act::runtime
