#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/architecture/architecture.hpp>
#include <act/runtime/architecture/tensor_layout.hpp>
#include <act/runtime/architecture/weights.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// Rows of a stored tensor that become rows of a larger matrix: `count` blocks of `block` rows, `step` apart.
struct row_blocks {
  std::size_t stored = 0;  // all rows of the tensor
  std::size_t first = 0, block = 0, step = 0, count = 1;

  [[nodiscard]] std::size_t rows() const noexcept { return block * count; }
};

constexpr row_blocks all_rows(std::size_t rows) {
  return {.stored = rows, .first = 0, .block = rows, .step = rows, .count = 1};
}

class weight_reader {
 public:
  weight_reader(const checkpoint_tensors& tensors, const model_description& description, compute_type compute)
      : tensors_(tensors), config_(description.config), names_(description.tensors), compute_(compute) {}

  model read() const {
    model result;
    result.config = config_;
    result.file = tensors_.file;
    result.compute = compute_;
    const std::vector<std::size_t> vocabulary{config_.vocabulary, config_.embedding};
    result.embedding = read_rows(names_.embedding + ".weight", vocabulary);
    result.output = read_output(result.embedding, vocabulary);
    if (!names_.embedding_norm.empty()) result.embedding_norm = read_norm(names_.embedding_norm);
    if (config_.learned_positions) {
      const std::size_t rows = config_.position_offset + config_.context;
      const tensor_view& positions = checked(names_.positions + ".weight", {rows, config_.hidden});
      result.positions.resize(rows, config_.hidden);
      expand(positions, 0, rows, result.positions.data());
    }
    if (config_.embedding != config_.hidden) {
      result.project_in = read_linear({{names_.project_in, all_rows(config_.hidden)}}, config_.embedding,
                                      biases::none, false);
      result.project_out = read_linear({{names_.project_out, all_rows(config_.embedding)}}, config_.hidden,
                                       biases::none, false);
    }
    if (!names_.final_norm.empty()) result.final_norm = read_norm(names_.final_norm);
    result.layers.reserve(config_.layers);
    for (std::size_t layer = 0; layer < config_.layers; ++layer)
      result.layers.push_back(read_layer(layer));
    return result;
  }

 private:
  struct part {
    std::string name;
    row_blocks rows;
  };

  [[noreturn]] void fail(std::string_view name, const std::string& message) const {
    throw error(error_code::invalid_input, tensors_.file_of(name) + ": tensor '" + std::string(name) + "'",
                message);
  }
  [[noreturn]] void refuse_numbers(const tensor_view& tensor) const {
    fail(tensor.name, "holds a number that isn't finite; the file is damaged, fetch it again");
  }

  // The tensor called so, under whichever of its names the checkpoint has.
  const tensor_view* find(const std::string& name) const {
    if (const tensor_view* found = tensors_.find(name)) return found;
    for (const auto& [usual, other] : names_.other_beginnings) {
      if (!name.starts_with(usual)) continue;
      if (const tensor_view* found = tensors_.find(other + name.substr(usual.size()))) return found;
    }
    return nullptr;
  }

  const tensor_view& checked(const std::string& name, const std::vector<std::size_t>& shape) const {
    const tensor_view* tensor = find(name);
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

  // Expands rows [first, first + count) of a tensor into `out` on all threads.
  void expand(const tensor_view& tensor, std::size_t first, std::size_t count, float* out) const {
    constexpr std::size_t rows_per_task = 64;
    const std::size_t columns = tensor.columns();
    std::atomic<bool> finite{true};
    parallel_for((count + rows_per_task - 1) / rows_per_task, [&](std::size_t task) noexcept {
      const std::size_t from = task * rows_per_task;
      const std::size_t rows = std::min(rows_per_task, count - from);
      const std::span<float> values(out + from * columns, rows * columns);
      dequantize(tensor.type, tensor.row_bytes(first + from, rows), values);
      if (!all_finite(values)) finite = false;
    });
    if (!finite) refuse_numbers(tensor);
  }

  // Matrices stay as they are stored, but not unchecked: every row is expanded once and dropped again.
  const tensor_view& checked_numbers(const tensor_view& tensor) const {
    constexpr std::size_t rows_per_task = 16;
    const std::size_t rows = tensor.rows();
    matrix expanded(thread_count(), tensor.columns());
    std::atomic<bool> finite{true};
    parallel_for((rows + rows_per_task - 1) / rows_per_task,
                 [&](std::size_t task, std::size_t worker) noexcept {
                   const std::size_t end = std::min((task + 1) * rows_per_task, rows);
                   for (std::size_t row = task * rows_per_task; row < end; ++row) {
                     dequantize_rows(tensor, row, expanded.row(worker));
                     if (!all_finite(expanded.row(worker))) finite = false;
                   }
                 });
    if (!finite) refuse_numbers(tensor);
    return tensor;
  }

  stored_matrix read_rows(const std::string& name, const std::vector<std::size_t>& shape) const {
    return stored_matrix(checked_numbers(checked(name, shape)));
  }

  // The checkpoint's own output matrix is used wherever there is one, also where the configuration calls it
  // tied, as `transformers` does.
  output_matrix read_output(const stored_matrix& embedding,
                            const std::vector<std::size_t>& vocabulary) const {
    const std::string name = names_.output + ".weight";
    const bool own = !config_.tied_output || find(name) != nullptr;
    row_vector bias;
    if (config_.output_biases == biases::required) bias = read_vector(names_.output + ".bias", vocabulary[0]);
    return output_matrix(own ? read_rows(name, vocabulary) : embedding, std::move(bias),
                         config_.output_soft_cap, compute_);
  }

  row_vector read_vector(const std::string& name, std::size_t size) const {
    const tensor_view& tensor = checked(name, {size});
    row_vector values(size);
    expand(tensor, 0, 1, values.data());
    return values;
  }

  void add_offset(row_vector& weights) const {
    for (float& each : weights)
      each += names_.norm_weight_offset;
  }

  norm read_norm(const std::string& name) const {
    norm result{.kind = config_.norm_type,
                .epsilon = config_.norm_epsilon,
                .width = config_.hidden,
                .weight = {},
                .bias = {}};
    if (!config_.norm_parameters) return result;
    result.weight = read_vector(name + ".weight", config_.hidden);
    add_offset(result.weight);
    if (config_.norm_type == norm_kind::layer) result.bias = read_vector(name + ".bias", config_.hidden);
    return result;
  }

  // Norms of queries and keys have no biases in any family.
  norm read_head_norm(const std::string& name, std::size_t heads) const {
    const std::size_t size = config_.head_size;
    norm result{
        .kind = config_.norm_type, .epsilon = config_.norm_epsilon, .width = size, .weight = {}, .bias = {}};
    if (names_.head_norms == head_norm::each_head) {
      result.weight = read_vector(name + ".weight", size);
    } else if (names_.head_norms == head_norm::all_heads) {
      result.width = heads * size;
      result.weight = read_vector(name + ".weight", heads * size);
    } else if (name.find("{}") != std::string::npos) {
      for (std::size_t head = 0; head < heads; ++head) {
        const row_vector own = read_vector(with_number(name, head) + ".weight", size);
        result.weight.insert(result.weight.end(), own.begin(), own.end());
      }
    } else {
      const tensor_view& tensor = checked(name + ".weight", {heads, size});
      result.weight.resize(heads * size);
      expand(tensor, 0, heads, result.weight.data());
    }
    add_offset(result.weight);
    return result;
  }

  branch_norms read_norms(std::size_t layer, const std::string& input, const std::string& output,
                          const std::string& sum) const {
    const auto read = [&](const std::string& pattern) {
      return pattern.empty() ? norm{} : read_norm(with_number(pattern, layer));
    };
    return {.input = read(input), .output = read(output), .sum = read(sum)};
  }

  bool has_bias(const part& of, biases rule) const {
    return rule == biases::required || (rule == biases::as_stored && find(of.name + ".bias") != nullptr);
  }

  // `rows` of a stored matrix of `inputs` columns as the next ones of `to`.
  void append_matrix(const part& from, std::size_t inputs, bool inputs_first, stored_matrix& to) const {
    const row_blocks& rows = from.rows;
    const std::string name = from.name + ".weight";
    const tensor_view& tensor =
        inputs_first ? checked(name, {inputs, rows.stored}) : checked(name, {rows.stored, inputs});
    // A tensor of which several matrices have parts is looked through with the first of them.
    if (rows.first == 0) (void)checked_numbers(tensor);
    for (std::size_t i = 0; i < rows.count; ++i) {
      const std::size_t first = rows.first + i * rows.step;
      if (inputs_first) {
        to.append_turned(tensor, first, rows.block);
      } else {
        to.append(tensor, first, rows.block);
      }
    }
  }

  void read_bias(const part& from, float* out) const {
    const row_vector stored = read_vector(from.name + ".bias", from.rows.stored);
    for (std::size_t i = 0; i < from.rows.count; ++i, out += from.rows.block)
      std::copy_n(stored.data() + from.rows.first + i * from.rows.step, from.rows.block, out);
  }

  // One matrix from stored parts, one under another: a single product serves them all.
  linear read_linear(const std::vector<part>& parts, std::size_t inputs, biases rule,
                     bool inputs_first) const {
    std::size_t outputs = 0;
    bool biased = false;
    for (const part& each : parts) {
      // All shapes before any number: sizes are the configuration's word.
      (void)checked(each.name + ".weight", inputs_first ? std::vector{inputs, each.rows.stored}
                                                        : std::vector{each.rows.stored, inputs});
      outputs += each.rows.rows();
      biased = biased || has_bias(each, rule);
    }
    linear result{.weight = stored_matrix(inputs), .bias = {}, .compute = compute_};
    if (biased) result.bias.assign(outputs, 0.0F);
    std::size_t row = 0;
    for (const part& each : parts) {
      append_matrix(each, inputs, inputs_first, result.weight);
      if (has_bias(each, rule)) read_bias(each, result.bias.data() + row);
      row += each.rows.rows();
    }
    return result;
  }

  // Queries, keys and values: tensors of their own, or rows of one.
  std::array<part, 3> query_key_value(std::size_t layer) const {
    const std::size_t size = config_.head_size;
    const std::size_t query = config_.heads * size, kv = config_.kv_heads * size;
    if (names_.query_key_value.empty()) {
      return {part{with_number(names_.query, layer), all_rows(query)},
              part{with_number(names_.key, layer), all_rows(kv)},
              part{with_number(names_.value, layer), all_rows(kv)}};
    }
    const std::string name = with_number(names_.query_key_value, layer);
    const std::size_t all = query + 2 * kv;
    if (names_.fused == fused_rows::head_by_head) {
      const auto of_heads = [&](std::size_t number) {
        return part{
            name,
            {.stored = all, .first = number * size, .block = size, .step = 3 * size, .count = config_.heads}};
      };
      return {of_heads(0), of_heads(1), of_heads(2)};
    }
    const auto rows = [&](std::size_t first, std::size_t count) {
      return part{name, {.stored = all, .first = first, .block = count, .step = count, .count = 1}};
    };
    return {rows(0, query), rows(query, kv), rows(query + kv, kv)};
  }

  // The gate's rows, if there is one, then those it opens.
  std::vector<part> gate_and_up(std::size_t layer) const {
    if (!names_.gate_up.empty()) return {{with_number(names_.gate_up, layer), all_rows(2 * config_.inner)}};
    std::vector<part> parts;
    if (config_.gated_feed_forward)
      parts.push_back({with_number(names_.gate, layer), all_rows(config_.inner)});
    parts.push_back({with_number(names_.up, layer), all_rows(config_.inner)});
    return parts;
  }

  decoder_layer read_layer(std::size_t layer) const {
    const auto name = [&](const std::string& pattern) { return with_number(pattern, layer); };
    const bool turned = names_.inputs_first;
    const auto [query, key, value] = query_key_value(layer);
    decoder_layer result;
    result.attention_norms =
        read_norms(layer, names_.attention_norm, names_.attention_output_norm, names_.attention_sum_norm);
    result.query = read_linear({query}, config_.hidden, config_.attention_biases, turned);
    result.key_value = read_linear({key, value}, config_.hidden, config_.attention_biases, turned);
    if (!names_.query_norm.empty())
      result.query_norm = read_head_norm(name(names_.query_norm), config_.heads);
    if (!names_.key_norm.empty()) result.key_norm = read_head_norm(name(names_.key_norm), config_.kv_heads);
    result.attention_output =
        read_linear({{name(names_.attention_output), all_rows(config_.hidden)}},
                    config_.heads * config_.head_size, config_.attention_output_biases, turned);
    result.feed_forward_norms = read_norms(layer, names_.feed_forward_norm, names_.feed_forward_output_norm,
                                           names_.feed_forward_sum_norm);
    result.mlp.function = config_.feed_forward_activation;
    result.mlp.gated = config_.gated_feed_forward;
    result.mlp.up = read_linear(gate_and_up(layer), config_.hidden, config_.feed_forward_biases, turned);
    result.mlp.down = read_linear({{name(names_.down), all_rows(config_.hidden)}}, config_.inner,
                                  config_.feed_forward_biases, turned);
    return result;
  }

  const checkpoint_tensors& tensors_;
  const model_config& config_;
  const tensor_layout& names_;
  const compute_type compute_;
};

}  // namespace

model read_weights(const checkpoint_tensors& tensors, const model_description& description,
                   compute_type compute) {
  return weight_reader(tensors, description, compute).read();
}

}  // namespace act::runtime
