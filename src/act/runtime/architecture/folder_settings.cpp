#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/architecture/architecture.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/rotary_scaling.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

std::size_t read_size(const hf_config& file, const size_key& from, std::size_t absent) {
  const auto given = [&](const char* key) {
    return key != nullptr && file.find<std::size_t>(key).has_value();
  };
  if (given(from.key) && given(from.other) && file.size_or(from.key, 1) != file.size_or(from.other, 1)) {
    file.fail(from.key, "and '" + std::string(from.other) + "' mean the same and differ");
  }
  if (given(from.other)) return file.size_or(from.other, 1);
  return file.size_or(from.key, absent);
}

// The object that scales positions, if there is one, and its name: what `transformers` takes where both
// generations' names are there.
std::optional<hf_config> scaling_of(const hf_config& file, const rotary_keys& keys) {
  std::optional<hf_config> older = file.section("rope_scaling");
  if (keys.layer_type != nullptr) {
    if (const auto all = file.section("rope_parameters")) {
      if (auto own = all->section(keys.layer_type)) return own;
    }
    return keys.scaled ? older : std::nullopt;
  }
  if (older && !older->empty()) return older;
  return file.section("rope_parameters");
}

// Short factors of longrope, one a pair.
std::vector<float> longrope_factors(const hf_config& scaling, std::size_t pairs) {
  const auto factors = scaling.find_list<double>("short_factor");
  if (!factors || factors->size() != pairs) {
    scaling.fail("short_factor", "isn't a list of " + std::to_string(pairs) + " numbers, one a rotary pair");
  }
  for (const double each : *factors)
    if (!(each > 0)) scaling.fail("short_factor", "has a number that isn't positive");
  return {factors->begin(), factors->end()};
}

void scale(const hf_config& file, const hf_config& scaling, const rotary_keys& keys, model_config& config,
           rotary_options& made) {
  std::string type = scaling.get_or("rope_type", scaling.get_or("type", std::string("default")));
  if (keys.yarn_is_longrope && (type == "su" || type == "yarn")) type = "longrope";
  if (type == "default") return;
  made.frequencies = rotary_frequencies(made.theta, made.dims);
  const auto original = [&] {
    const auto absent = static_cast<double>(keys.original_context_absent != 0 ? keys.original_context_absent
                                                                              : config.context);
    return file.positive_or("original_max_position_embeddings",
                            scaling.positive_or("original_max_position_embeddings", absent));
  };
  if (type == "linear") {
    scale_linear(made.frequencies, scaling.positive("factor"));
  } else if (type == "dynamic") {
    (void)scaling.positive("factor");
    config.context_ends_by = "act doesn't have the dynamic scaling of positions that begins there";
  } else if (type == "llama3") {
    const llama3_scaling by{.factor = scaling.positive("factor"),
                            .low_frequency_factor = scaling.positive("low_freq_factor"),
                            .high_frequency_factor = scaling.positive("high_freq_factor"),
                            .original_context = original()};
    if (!(by.high_frequency_factor > by.low_frequency_factor))
      scaling.fail("high_freq_factor", "isn't above 'low_freq_factor'");
    scale_llama3(made.frequencies, by);
  } else if (type == "yarn") {
    const yarn_scaling by{.factor = scaling.positive("factor"),
                          .original_context = original(),
                          .beta_fast = scaling.positive_or("beta_fast", 32),
                          .beta_slow = scaling.positive_or("beta_slow", 1),
                          .truncate = scaling.get_or("truncate", true)};
    if (!(made.theta > 1)) scaling.fail("rope_theta", "is at most 1, which yarn can't stretch");
    scale_yarn(made.frequencies, made.theta, by);
    const double weight = scaling.get_or("mscale", 0.0);
    const double all = scaling.get_or("mscale_all_dim", 0.0);
    const double magnitude = weight != 0 && all != 0
                                 ? yarn_magnitude(by.factor, weight) / yarn_magnitude(by.factor, all)
                                 : yarn_magnitude(by.factor);
    made.magnitude = static_cast<float>(scaling.positive_or("attention_factor", magnitude));
  } else if (type == "longrope") {
    const double trained = original();
    const double factor = scaling.positive_or("factor", static_cast<double>(config.context) / trained);
    scale_each(made.frequencies, longrope_factors(scaling, made.frequencies.size()));
    if (!(trained > 1)) file.fail("original_max_position_embeddings", "is too small");
    made.magnitude =
        static_cast<float>(scaling.positive_or("attention_factor", longrope_magnitude(factor, trained)));
    keep_to_short_factors(trained, config);
  } else {
    scaling.refuse("rope_type", "is '" + io::printable(type) +
                                    "'; act has default, linear, dynamic, llama3, yarn and longrope");
  }
}

}  // namespace

model_config read_sizes(const hf_config& file, const char* architecture, const folder_keys& keys) {
  model_config config;
  config.architecture = architecture;
  config.vocabulary = read_size(file, keys.vocabulary, keys.vocabulary.absent);
  config.hidden = read_size(file, keys.hidden, keys.hidden.absent);
  config.embedding = config.hidden;
  config.layers = read_size(file, keys.layers, keys.layers.absent);
  config.heads = read_size(file, keys.heads, keys.heads.absent);
  config.inner =
      keys.inner.key == nullptr
          ? 4 * config.hidden
          : read_size(file, keys.inner, keys.inner.absent != 0 ? keys.inner.absent : 4 * config.hidden);
  config.kv_heads = config.heads;
  if (keys.kv_heads.key != nullptr && !file.is_null(keys.kv_heads.key)) {
    config.kv_heads =
        read_size(file, keys.kv_heads, keys.kv_heads.absent != 0 ? keys.kv_heads.absent : config.heads);
    file.require_divides(config.kv_heads, config.heads, keys.kv_heads.key, keys.heads.key);
  }
  std::size_t head_size = 0;
  if (keys.head_size.key != nullptr && !file.is_null(keys.head_size.key)) {
    head_size = keys.head_size.absent;
    if (file.find<std::size_t>(keys.head_size.key)) head_size = file.size_or(keys.head_size.key, 1);
  }
  if (head_size == 0) file.require_divides(config.heads, config.hidden, keys.heads.key, keys.hidden.key);
  config.head_size = head_size != 0 ? head_size : config.hidden / config.heads;
  config.context = read_size(file, keys.context, keys.context.absent);
  const auto limit = [&](std::size_t size, std::size_t most, const char* key) {
    if (size > most) file.fail(key, "is " + std::to_string(size) + ", which no model has");
  };
  limit(config.layers, most_layers, keys.layers.key);
  limit(config.heads, most_heads, keys.heads.key);
  limit(config.head_size, largest_head, keys.head_size.key != nullptr ? keys.head_size.key : keys.hidden.key);

  config.norm_type = keys.norm_type;
  const double epsilon = file.get_or(keys.norm_epsilon, keys.norm_epsilon_absent);
  if (!(epsilon >= 0 && epsilon < 1)) file.fail(keys.norm_epsilon, "isn't between 0 and 1");
  config.norm_epsilon = static_cast<float>(epsilon);
  config.feed_forward_activation =
      activation_named(file.activation_name(keys.activation, keys.activation_absent));
  config.gated_feed_forward = keys.gated;
  config.tied_output = file.get_or("tie_word_embeddings", keys.tied_absent);
  config.attention_biases = config.attention_output_biases = config.feed_forward_biases = biases::none;
  return config;
}

biases biases_if(bool present) noexcept {
  return present ? biases::required : biases::none;
}

void add_rotary(const hf_config& file, const rotary_keys& keys, model_config& config) {
  const std::optional<hf_config> scaling = scaling_of(file, keys);
  const auto number = [&](const char* key, const char* in_scaling, double absent) {
    const double outside = key != nullptr ? file.get_or(key, absent) : absent;
    return scaling ? scaling->get_or(in_scaling, outside) : outside;
  };
  const double theta = number(keys.theta, "rope_theta", keys.theta_absent);
  if (!(theta > 0)) file.fail(keys.theta, "isn't a positive number");
  const double fraction = number(keys.fraction, "partial_rotary_factor", keys.fraction_absent);
  if (!(fraction > 0 && fraction <= 1)) file.fail(keys.fraction, "isn't above 0 and at most 1");
  rotary_options made;
  made.theta = static_cast<float>(theta);
  made.dims = static_cast<std::size_t>(std::floor(static_cast<double>(config.head_size) * fraction));
  if (made.dims == 0 || made.dims % 2 != 0) {
    file.fail(keys.fraction, "turns " + std::to_string(made.dims) + " numbers of heads of " +
                                 std::to_string(config.head_size) + "; an even number is possible");
  }
  if (scaling) scale(file, *scaling, keys, config, made);
  config.rotary.push_back(std::move(made));
}

std::size_t window_of(const hf_config& file, std::size_t absent) {
  if (file.is_null("sliding_window") || (absent == 0 && !file.find<std::size_t>("sliding_window"))) return 0;
  return file.size_or("sliding_window", absent);
}

void set_layer_types(const hf_config& file, const std::vector<bool>& slides, const layer_attention& sliding,
                     const layer_attention& full, model_config& config) {
  const auto types = file.find_list<std::string>("layer_types");
  if (types && types->size() != config.layers) {
    file.fail("layer_types", "names " + std::to_string(types->size()) + " layers, the model has " +
                                 std::to_string(config.layers));
  }
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    bool slid = slides[layer];
    if (types) {
      const std::string& type = (*types)[layer];
      slid = type == "sliding_attention";
      if (!slid && type != "full_attention") {
        file.refuse("layer_types",
                    "has '" + io::printable(type) + "'; act has full_attention and sliding_attention");
      }
    }
    config.attention.push_back(slid ? sliding : full);
  }
}

}  // namespace act::runtime
