#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {
namespace {

// Hashes a matrix's shape and up to 4,096 of its values, evenly spread: another training step changes
// practically all values, and reading gigabytes of weights a second time would cost more than loading the
// model.
template <class Value>
void add_sampled(io::sha256& digest, std::size_t count, const Value& value) {
  constexpr std::size_t samples = 4096;
  const std::size_t step = count > samples ? count / samples : 1;
  std::vector<float> picked;
  for (std::size_t i = 0; i < count; i += step)
    picked.push_back(value(i));
  digest.update(std::to_string(count) + " ");
  digest.update(std::as_bytes(std::span<const float>(picked)));
}

void add_sampled(io::sha256& digest, const float* values, std::size_t count) {
  add_sampled(digest, count, [&](std::size_t i) { return values[i]; });
}

void add_sampled(io::sha256& digest, const stored_matrix& matrix) {
  add_sampled(digest, matrix.size(),
              [&](std::size_t i) { return matrix.at(i / matrix.columns(), i % matrix.columns()); });
}

void add_linear(io::sha256& digest, const linear& layer) {
  add_sampled(digest, layer.weight);
  add_sampled(digest, layer.bias.data(), layer.bias.size());
}

void add_norm(io::sha256& digest, const norm& layer) {
  add_sampled(digest, layer.weight.data(), layer.weight.size());
  add_sampled(digest, layer.bias.data(), layer.bias.size());
}

// Those that are there; one, if there is none.
void add_norms(io::sha256& digest, const branch_norms& of) {
  const std::array<const norm*, 3> every{&of.input, &of.output, &of.sum};
  if (std::none_of(every.begin(), every.end(), [](const norm* each) { return each->present(); }))
    return add_norm(digest, of.input);
  for (const norm* each : every)
    if (each->present()) add_norm(digest, *each);
}

// Settings that the first model families didn't have: nothing where a model has none of them, so that their
// fingerprints stay what they were.
void add_later_settings(io::sha256& digest, const model_config& config) {
  std::vector<float> numbers;
  const auto add = [&](float number, float usual) {
    if (number != usual) numbers.insert(numbers.end(), {static_cast<float>(numbers.size()), number});
  };
  add(config.embedding_scale, 1);
  add(config.output_soft_cap, 0);
  add(config.attention_soft_cap, 0);
  add(static_cast<float>(config.residual), 0);
  for (const float slope : config.slopes)
    add(slope, 0);
  for (const layer_attention& layer : config.attention) {
    add(layer.scale, 0);
    add(static_cast<float>(layer.window), 0);
    add(static_cast<float>(layer.rotary), 0);
  }
  for (std::size_t i = 0; i < config.rotary.size(); ++i) {
    if (i > 0) add(config.rotary[i].theta, 0);
    add(config.rotary[i].magnitude, 1);
    for (const float frequency : config.rotary[i].frequencies)
      add(frequency, 0);
  }
  if (!numbers.empty()) digest.update(std::as_bytes(std::span<const float>(numbers)));
}

}  // namespace

std::string fingerprint(const model& of) {
  const model_config& config = of.config;
  const rotary_options rotary = config.rotary.empty() ? rotary_options{} : config.rotary.front();
  const bool norm_after = !of.layers.empty() && of.layers.front().attention_norms.sum.present();
  io::sha256 digest;
  digest.update(config.architecture);
  for (const std::size_t size :
       {config.layers, config.hidden, config.embedding, config.heads, config.kv_heads, config.head_size,
        config.inner, config.vocabulary, rotary.dims, config.position_offset,
        static_cast<std::size_t>(config.norm_type), static_cast<std::size_t>(norm_after),
        static_cast<std::size_t>(config.feed_forward_activation), static_cast<std::size_t>(rotary.pairing)}) {
    digest.update(" " + std::to_string(size));
  }
  const std::array<float, 2> numbers{config.norm_epsilon, rotary.theta};
  digest.update(std::as_bytes(std::span<const float>(numbers)));
  add_later_settings(digest, config);
  if (of.embedding_norm.present()) add_norm(digest, of.embedding_norm);
  add_norm(digest, of.final_norm);
  for (const decoder_layer& layer : of.layers) {
    add_norms(digest, layer.attention_norms);
    add_norms(digest, layer.feed_forward_norms);
    add_linear(digest, layer.query);
    add_linear(digest, layer.key_value);
    if (layer.query_norm.present()) add_norm(digest, layer.query_norm);
    if (layer.key_norm.present()) add_norm(digest, layer.key_norm);
    add_linear(digest, layer.attention_output);
    add_linear(digest, layer.mlp.up);
    add_linear(digest, layer.mlp.down);
  }
  add_sampled(digest, of.positions.data(), of.positions.size());
  add_linear(digest, of.project_in);
  add_linear(digest, of.project_out);
  if (!of.output.bias().empty()) add_sampled(digest, of.output.bias().data(), of.output.bias().size());
  std::vector<float> row(of.embedding.columns());
  const std::size_t step = of.embedding.rows() > 64 ? of.embedding.rows() / 64 : 1;
  for (std::size_t token = 0; token < of.embedding.rows(); token += step) {
    of.embedding.copy_row(token, row);
    add_sampled(digest, row.data(), row.size());
    of.output.rows().copy_row(token, row);
    add_sampled(digest, row.data(), row.size());
  }
  return digest.hex();
}

model_identity identity_of(const model& loaded) {
  return {
      .architecture = loaded.config.architecture,
      .layers = loaded.config.layers,
      .heads = loaded.config.heads,
      .fingerprint = fingerprint(loaded),
      .compute = loaded.compute == compute_type::f32 ? std::string() : std::string(name_of(loaded.compute))};
}

io::json_document to_json(const model_identity& model) {
  auto object = io::json_document::object();
  if (!model.architecture.empty()) {
    object.set("architecture", model.architecture);
  }
  if (model.layers > 0) {
    object.set("layers", model.layers);
  }
  if (model.heads > 0) {
    object.set("heads", model.heads);
  }
  if (!model.fingerprint.empty()) {
    object.set("fingerprint", model.fingerprint);
  }
  if (!model.compute.empty()) {
    object.set("compute", model.compute);
  }
  return object;
}

}  // namespace act::runtime
