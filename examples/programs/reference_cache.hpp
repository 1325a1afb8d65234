// --cache reference-heads:K with --cache-text: the maps of the keys that such a cache doesn't keep.
#pragma once

#include <act/io/json_document.hpp>

#include <string>

namespace act::runtime {
struct cache_policy;
struct loaded_model;
struct model_config;
}  // namespace act::runtime

namespace act_program {

/// Throws act::error (invalid_option) unless both are given or neither.
void check_reference_cache(const act::runtime::cache_policy& policy, const std::string& text);

/// Gives a policy with reference heads its maps, fitted on the first 16,384 tokens of the text in windows of
/// 512; nothing for other policies. Returns a line that says what the cache keeps; empty for other policies.
/// Throws act::error: unsupported for a model whose layers haven't that many key heads, io and invalid_input
/// for the text.
[[nodiscard]] std::string fit_reference_cache(act::runtime::cache_policy& policy,
                                              const act::runtime::loaded_model& loaded,
                                              const std::string& text, bool quiet);

/// Adds the text, and what a position takes of all that it could, of a policy with reference heads.
void add_reference_cache(act::io::json_document& document, const act::runtime::cache_policy& policy,
                         const act::runtime::model_config& config, const std::string& text);

}  // namespace act_program
