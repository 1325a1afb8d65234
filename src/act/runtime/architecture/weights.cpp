#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/architecture/tensor_names.hpp>
#include <act/runtime/architecture/weights.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/model.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {
namespace {

class weight_reader {
 public:
  weight_reader(const checkpoint_tensors& tensors, const model_config& config, const tensor_names& names)
      : tensors_(tensors), config_(config), names_(names) {}

  model read() const {
    model result;
    result.config = config_;
    result.file = tensors_.file;
    const std::vector<std::size_t> vocabulary{config_.vocabulary, config_.embedding};
    result.embedding = read_rows(names_.embedding + ".weight", vocabulary);
    result.output = config_.tied_output ? result.embedding : read_rows(names_.output + ".weight", vocabulary);
    if (config_.learned_positions) {
      const std::size_t rows = config_.position_offset + config_.context;
      result.positions.resize(rows, config_.hidden);
      expand(checked(names_.positions + ".weight", {rows, config_.hidden}), result.positions.data());
    }
    if (config_.embedding != config_.hidden) {
      result.project_in = read_linear({{names_.project_in, config_.hidden}}, config_.embedding, biases::none);
      result.project_out =
          read_linear({{names_.project_out, config_.embedding}}, config_.hidden, biases::none);
    }
    if (config_.final_norm) result.final_norm = read_norm(names_.final_norm);
    result.layers.reserve(config_.layers);
    for (std::size_t layer = 0; layer < config_.layers; ++layer)
      result.layers.push_back(read_layer(layer));
    return result;
  }

 private:
  // One stored tensor that becomes rows of a larger matrix.
  struct part {
    std::string name;
    std::size_t rows;
  };

  [[noreturn]] void fail(std::string_view name, const std::string& message) const {
    throw error(error_code::invalid_input, tensors_.file_of(name) + ": tensor '" + std::string(name) + "'",
                message);
  }
  [[noreturn]] void refuse_numbers(const tensor_view& tensor) const {
    fail(tensor.name, "holds a number that isn't finite; the file is damaged, fetch it again");
  }

  const tensor_view& checked(const std::string& name, const std::vector<std::size_t>& shape) const {
    const tensor_view* tensor = tensors_.find(name);
    if (tensor == nullptr)
      fail(name, "is missing; the file isn't a complete " + config_.architecture + " model");
    if (tensor->shape != shape) {
      fail(tensor->name, "has shape " + text(tensor->shape) + ", the model's configuration asks for " +
                             text(shape) + "; convert the model again");
    }
    return *tensor;
  }

  static std::string text(const std::vector<std::size_t>& shape) {
    std::string joined = "[";
    for (const std::size_t size : shape)
      joined += (joined.size() > 1 ? ", " : "") + std::to_string(size);
    return joined + "]";
  }

  // Expands a tensor into `out` on all threads.
  void expand(const tensor_view& tensor, float* out) const {
    constexpr std::size_t rows_per_task = 64;
    const std::size_t rows = tensor.rows();
    const std::size_t columns = tensor.columns();
    std::atomic<bool> finite{true};
    parallel_for((rows + rows_per_task - 1) / rows_per_task, [&](std::size_t task) noexcept {
      const std::size_t first = task * rows_per_task;
      const std::size_t count = std::min(rows_per_task, rows - first);
      const std::span<float> values(out + first * columns, count * columns);
      dequantize(tensor.type, tensor.row_bytes(first, count), values);
      if (!all_finite(values)) finite = false;
    });
    if (!finite) refuse_numbers(tensor);
  }

  // The vocabulary's rows stay as they are stored (token_rows.hpp), but not unchecked: expanded once, row by
  // row, and dropped again. A few hundredths of a second for 28 million numbers.
  token_rows read_rows(const std::string& name, const std::vector<std::size_t>& shape) const {
    const tensor_view& tensor = checked(name, shape);
    matrix rows(thread_count(), tensor.columns());
    std::atomic<bool> finite{true};
    parallel_for(tensor.rows(), [&](std::size_t row, std::size_t worker) noexcept {
      dequantize_rows(tensor, row, rows.row(worker));
      if (!all_finite(rows.row(worker))) finite = false;
    });
    if (!finite) refuse_numbers(tensor);
    return token_rows(tensor);
  }

  row_vector read_vector(const std::string& name, std::size_t size) const {
    row_vector values(size);
    expand(checked(name, {size}), values.data());
    return values;
  }

  norm read_norm(const std::string& name) const {
    norm result{.kind = config_.norm_type,
                .epsilon = config_.norm_epsilon,
                .width = config_.hidden,
                .weight = {},
                .bias = {}};
    if (!config_.norm_parameters) return result;
    result.weight = read_vector(name + ".weight", config_.hidden);
    if (config_.norm_type == norm_kind::layer) result.bias = read_vector(name + ".bias", config_.hidden);
    return result;
  }

  bool has_bias(const part& of, biases rule) const {
    return rule == biases::required ||
           (rule == biases::as_stored && tensors_.find(of.name + ".bias") != nullptr);
  }

  // One matrix from stored parts, one under another: a single product serves them all.
  linear read_linear(const std::vector<part>& parts, std::size_t inputs, biases rule) const {
    std::size_t outputs = 0;
    bool biased = false;
    for (const part& each : parts) {
      outputs += each.rows;
      biased = biased || has_bias(each, rule);
    }
    linear result;
    result.weight.resize(outputs, inputs);
    if (biased) result.bias.assign(outputs, 0.0F);
    std::size_t row = 0;
    for (const part& each : parts) {
      expand(checked(each.name + ".weight", {each.rows, inputs}), result.weight.row(row).data());
      if (has_bias(each, rule)) {
        expand(checked(each.name + ".bias", {each.rows}), result.bias.data() + row);
      }
      row += each.rows;
    }
    return result;
  }

  decoder_layer read_layer(std::size_t layer) const {
    const auto name = [&](const std::string& pattern) { return in_layer(pattern, layer); };
    const std::size_t query_rows = config_.heads * config_.head_size;
    const std::size_t kv_rows = config_.kv_heads * config_.head_size;
    const biases attention = config_.attention_biases;
    decoder_layer result;
    result.attention_norm = read_norm(name(names_.attention_norm));
    result.query = read_linear({{name(names_.query), query_rows}}, config_.hidden, attention);
    result.key_value =
        read_linear({{name(names_.key), kv_rows}, {name(names_.value), kv_rows}}, config_.hidden, attention);
    result.attention_output =
        read_linear({{name(names_.attention_output), config_.hidden}}, query_rows, attention);
    result.feed_forward_norm = read_norm(name(names_.feed_forward_norm));
    result.mlp.function = config_.feed_forward_activation;
    result.mlp.gated = config_.gated_feed_forward;
    std::vector<part> up;
    if (config_.gated_feed_forward) up.push_back({name(names_.gate), config_.inner});
    up.push_back({name(names_.up), config_.inner});
    result.mlp.up = read_linear(up, config_.hidden, config_.feed_forward_biases);
    result.mlp.down =
        read_linear({{name(names_.down), config_.hidden}}, config_.inner, config_.feed_forward_biases);
    return result;
  }

  const checkpoint_tensors& tensors_;
  const model_config& config_;
  const tensor_names& names_;
};

}  // namespace

model read_weights(const checkpoint_tensors& tensors, const model_config& config, const tensor_names& names) {
  return weight_reader(tensors, config, names).read();
}

}  // namespace act::runtime
