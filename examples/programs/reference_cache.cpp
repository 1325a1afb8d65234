#include "programs/reference_cache.hpp"

#include <act/error.hpp>
#include <act/inspection/reference_heads.hpp>
#include <act/io/sha256.hpp>
#include <act/io/text_file.hpp>
#include <act/report/number_text.hpp>
#include <act/report/progress.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/load_model.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "programs/files.hpp"
#include "programs/program.hpp"

namespace act_program {

void check_reference_cache(const act::runtime::cache_policy& policy, const std::string& text) {
  if (policy.reference_heads > 0 && text.empty()) {
    throw act::error(
        act::error_code::invalid_option, "--cache",
        "reference-heads:K needs --cache-text, a text on which the other heads' maps are fitted");
  }
  if (policy.reference_heads == 0 && !text.empty())
    throw act::error(act::error_code::invalid_option, "--cache-text", "is for --cache reference-heads:K");
}

std::string fit_reference_cache(act::runtime::cache_policy& policy, const act::runtime::loaded_model& loaded,
                                const std::string& text, bool quiet) {
  if (policy.reference_heads == 0) return {};
  const act::runtime::model_config& config = loaded.model.config;
  if (policy.reference_heads >= config.kv_heads) {  // before a text is run
    throw act::error(act::error_code::unsupported, "--cache",
                     "'" + text_of(policy) +
                         "' makes keys of other heads' keys, and a layer of this model has " +
                         (config.kv_heads == 1 ? "1 key head; use --cache all"
                                               : std::to_string(config.kv_heads) + " key heads; keep fewer"));
  }
  constexpr std::size_t most_tokens = 16'384;
  const std::size_t length = std::min<std::size_t>(512, config.context);
  std::vector<act::runtime::token_id> tokens =
      loaded.tokenizer->encode(read_utf8_file(text).text, act::runtime::special_tokens_in_text::are_text);
  tokens.resize(std::min(tokens.size(), most_tokens));
  const std::size_t needed = act::inspection::tokens_for_key_maps(config, policy.reference_heads);
  if (tokens.size() < needed) {
    throw act::error(act::error_code::invalid_input, text,
                     "has " + std::to_string(tokens.size()) + " tokens, and maps of " +
                         std::to_string(policy.reference_heads) + " heads' keys take " +
                         std::to_string(needed) + " at least, better ten times as many; give a longer text");
  }
  act::inspection::head_moments sums(loaded.model, {.of = {act::inspection::head_vectors::keys}});
  act::report::progress progress("fitting maps of keys, tokens", tokens.size(), quiet);
  for (std::size_t first = 0; first < tokens.size(); first += length) {
    const std::size_t count = std::min(length, tokens.size() - first);
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<act::runtime::token_id> window(begin, begin + static_cast<std::ptrdiff_t>(count));
    sums.add({&window, 1}, false);
    progress.advance(count);
    stop_if_interrupted();
  }
  act::inspection::fitted_key_maps fitted = act::inspection::fit_key_maps(sums, policy.reference_heads);
  const double explained = fitted.explained;
  policy.maps = std::make_shared<const act::runtime::key_maps>(std::move(fitted.maps));
  const std::size_t kept = act::runtime::kv_cache(config, policy).bytes_a_position();
  const std::size_t all = act::runtime::kv_cache(config).bytes_a_position();
  return "the cache keeps the keys of " + std::to_string(policy.reference_heads) + " of " +
         std::to_string(config.kv_heads) + " key heads: " + std::to_string(kept) + " of " +
         std::to_string(all) + " bytes a token; the others' are made of them, R^2 " +
         act::report::formatted("%.3f", explained) + " on " + std::to_string(tokens.size()) + " tokens of " +
         text;
}

void add_reference_cache(act::io::json_document& document, const act::runtime::cache_policy& policy,
                         const act::runtime::model_config& config, const std::string& text) {
  if (policy.reference_heads == 0) return;
  document.set("cache_text",
               act::io::json_document::object({{"file", text}, {"sha256", act::io::sha256_of_file(text)}}));
  document.set("bytes_a_token", act::runtime::kv_cache(config, policy).bytes_a_position());
  document.set("all_bytes_a_token", act::runtime::kv_cache(config).bytes_a_position());
}

}  // namespace act_program
