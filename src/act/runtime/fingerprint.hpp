// A short name for a model's weights: tells whether a heads file belongs to the checkpoint that is loaded.
#pragma once

#include <act/io/sha256.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_identity.hpp>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {

namespace detail {

// Hashes a matrix's shape and up to 4,096 of its values, evenly spread: another training step changes
// practically all values, and reading gigabytes of weights a second time would cost more than loading the
// model.
inline void add_sampled(io::sha256& digest, const float* values, std::size_t count) {
  constexpr std::size_t samples = 4096;
  const std::size_t step = count > samples ? count / samples : 1;
  std::vector<float> picked;
  for (std::size_t i = 0; i < count; i += step)
    picked.push_back(values[i]);
  digest.update(std::to_string(count) + " ");
  digest.update(std::as_bytes(std::span<const float>(picked)));
}

inline void add_linear(io::sha256& digest, const linear& layer) {
  add_sampled(digest, layer.weight.data(), extent(layer.weight.size()));
  add_sampled(digest, layer.bias.data(), extent(layer.bias.size()));
}

inline void add_norm(io::sha256& digest, const norm& layer) {
  add_sampled(digest, layer.weight.data(), extent(layer.weight.size()));
  add_sampled(digest, layer.bias.data(), extent(layer.bias.size()));
}

}  // namespace detail

/// SHA-256 over the configuration and evenly spread values of every weight matrix and norm, as 64 hexadecimal
/// digits. Depends on the weights as they are computed with: another quantisation is another fingerprint. A
/// few milliseconds.
[[nodiscard]] inline std::string fingerprint(const model& of) {
  const model_config& config = of.config;
  io::sha256 digest;
  digest.update(config.architecture);
  for (const std::size_t size :
       {config.layers, config.hidden, config.embedding, config.heads, config.kv_heads, config.head_size,
        config.inner, config.vocabulary, config.rotary.dims, config.position_offset,
        static_cast<std::size_t>(config.norm_type), static_cast<std::size_t>(config.norm_at),
        static_cast<std::size_t>(config.feed_forward_activation),
        static_cast<std::size_t>(config.rotary.pairing)}) {
    digest.update(" " + std::to_string(size));
  }
  const std::array<float, 2> numbers{config.norm_epsilon, config.rotary.theta};
  digest.update(std::as_bytes(std::span<const float>(numbers)));
  detail::add_norm(digest, of.final_norm);
  for (const decoder_layer& layer : of.layers) {
    detail::add_norm(digest, layer.attention_norm);
    detail::add_norm(digest, layer.feed_forward_norm);
    detail::add_linear(digest, layer.query);
    detail::add_linear(digest, layer.key_value);
    detail::add_linear(digest, layer.attention_output);
    detail::add_linear(digest, layer.mlp.up);
    detail::add_linear(digest, layer.mlp.down);
  }
  detail::add_sampled(digest, of.positions.data(), extent(of.positions.size()));
  detail::add_linear(digest, of.project_in);
  detail::add_linear(digest, of.project_out);
  std::vector<float> row(of.embedding.width());
  const std::size_t step = of.embedding.count() > 64 ? of.embedding.count() / 64 : 1;
  for (std::size_t token = 0; token < of.embedding.count(); token += step) {
    of.embedding.copy_row(token, row);
    detail::add_sampled(digest, row.data(), row.size());
    of.output.copy_row(token, row);
    detail::add_sampled(digest, row.data(), row.size());
  }
  return digest.hex();
}

/// What a heads file says of this model.
[[nodiscard]] inline model_identity identity_of(const model& loaded) {
  return {.architecture = loaded.config.architecture,
          .layers = loaded.config.layers,
          .heads = loaded.config.heads,
          .fingerprint = fingerprint(loaded)};
}

}  // namespace act::runtime
