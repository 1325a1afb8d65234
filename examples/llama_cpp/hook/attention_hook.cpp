#include "attention_hook.hpp"

#include <act/error.hpp>
#include <act/half.hpp>

#include <ggml-backend.h>
#include <ggml.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace act_llama {

// What has been told of one chosen layer.
struct attention_hook::layer_state {
  std::vector<chosen_head> heads;
  std::map<std::size_t, tracked_heads> of_stream;
  cache* of = nullptr;  // the cache that its keys are in, once it was told
  bool was_told = false;
  std::vector<std::size_t> last_streams;  // of the last map
};

// Layers whose maps have one mask: their keys lie in the same cells.
struct attention_hook::cache {
  const ggml_tensor* mask = nullptr;  // of the graph below
  std::size_t graph = 0;              // the last one that was read
  std::size_t first_stream = 0, streams = 0;
  std::map<std::size_t, sequences> of_stream;
  std::map<std::size_t, std::vector<sequence_step>> steps;
};

namespace {

// The layer of a node that holds a softmaxed map.
std::optional<std::size_t> layer_of_map(const ggml_tensor& node) {
  constexpr std::string_view prefix = "kq_soft_max-";
  const std::string_view name(node.name, strnlen(node.name, sizeof node.name));
  if (node.op != GGML_OP_SOFT_MAX || !name.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = name.substr(prefix.size());
  if (digits.empty() || digits.size() > 6) return std::nullopt;
  std::size_t layer = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    layer = layer * 10 + static_cast<std::size_t>(digit - '0');
  }
  return layer;
}

std::size_t extent(const ggml_tensor& of, int axis) {
  return static_cast<std::size_t>(of.ne[axis]);
}

[[noreturn]] void refuse(const ggml_tensor& node, const std::string& why) {
  throw act::error(act::error_code::unsupported, std::string(node.name), why);
}

// Keys of one stream each may begin with any of the cache's streams; which one, the view of the keys says.
std::optional<std::size_t> first_stream_of(const ggml_tensor& node) {
  const ggml_tensor* each = node.src[0];
  for (int steps = 0; each != nullptr && steps < 16; ++steps, each = each->src[0]) {
    const ggml_tensor* const whole = each->view_src;
    if (whole == nullptr || std::strncmp(whole->name, "cache_k", 7) != 0) continue;
    return whole->ne[2] > 1 ? each->view_offs / whole->nb[2] : 0;
  }
  return std::nullopt;
}

// What lies in a tensor, as bytes, wherever it is.
const std::byte* bytes_of(const ggml_tensor& of, std::vector<std::byte>& copy) {
  if (of.buffer == nullptr || ggml_backend_buffer_is_host(of.buffer))
    return static_cast<const std::byte*>(of.data);
  copy.resize(ggml_nbytes(&of));
  ggml_backend_tensor_get(&of, copy.data(), 0, copy.size());
  return copy.data();
}

std::vector<cell_set> rows_of_mask(const ggml_tensor& mask, std::size_t stream, std::size_t rows) {
  std::vector<std::byte> copy;
  const std::byte* const bytes = bytes_of(mask, copy);
  std::vector<cell_set> seen;
  seen.reserve(rows);
  std::vector<float> row(extent(mask, 0));
  for (std::size_t i = 0; i < rows; ++i) {
    const std::byte* const from = bytes + stream * mask.nb[3] + i * mask.nb[1];
    if (mask.type == GGML_TYPE_F32) {
      std::memcpy(row.data(), from, row.size() * sizeof(float));
    } else {
      for (std::size_t k = 0; k < row.size(); ++k) {
        act::float16 half;
        std::memcpy(&half, from + k * sizeof half, sizeof half);
        row[k] = static_cast<float>(half);
      }
    }
    seen.push_back(cell_set::seen_by(row));
  }
  return seen;
}

}  // namespace

attention_hook::attention_hook(const std::vector<layer_choice>& heads, settings of) : settings_(of) {
  for (const layer_choice& each : heads) {
    std::unique_ptr<layer_state>& layer = layers_[each.layer];
    if (!layer) layer = std::make_unique<layer_state>();
    layer->heads.push_back(each.head);
  }
  for (const auto& [number, layer] : layers_)
    (void)tracked_heads(layer->heads);  // refuses what can't be
}

attention_hook::~attention_hook() = default;

bool attention_hook::evaluate(ggml_tensor* node, bool ask, void* hook) noexcept {
  attention_hook& self = *static_cast<attention_hook*>(hook);
  // Stopping the computation would leave the caller with logits of nothing and no error: go on in any case.
  const bool go_on = !ask;
  try {
    const std::optional<std::size_t> layer = layer_of_map(*node);
    if (!layer || !self.layers_.contains(*layer) || self.failure_) return go_on;
    if (ask) return true;
    self.calibrate(node, *layer);
  } catch (...) {
    self.failure_ = std::current_exception();
  }
  return true;
}

// The steps of the node's rows, read once for all layers of a graph that share its mask.
attention_hook::cache& attention_hook::read_mask(const ggml_tensor* node, layer_state& layer) {
  const ggml_tensor* const mask = node->src[1];
  if (mask == nullptr || (mask->type != GGML_TYPE_F32 && mask->type != GGML_TYPE_F16) || mask->ne[2] != 1 ||
      mask->ne[0] != node->ne[0] || mask->ne[1] < node->ne[1] || mask->ne[3] != node->ne[3]) {
    refuse(*node, "has no mask of its own shape to tell sequences by");
  }
  if (layer.of == nullptr) {
    for (const std::unique_ptr<cache>& each : caches_) {
      if (each->graph == graph_ && each->mask == mask) layer.of = each.get();
    }
  }
  if (layer.of == nullptr) {
    caches_.push_back(std::make_unique<cache>());
    layer.of = caches_.back().get();
  }
  cache& of = *layer.of;
  if (of.graph == graph_) return of;
  const std::optional<std::size_t> first = first_stream_of(*node);
  if (!first && node->ne[3] > 1) refuse(*node, "has keys of several streams, and nothing says of which");
  of.first_stream = first.value_or(0);
  of.streams = extent(*node, 3);
  for (std::size_t s = 0; s < of.streams; ++s) {
    sequences& known = of.of_stream.try_emplace(of.first_stream + s, settings_.most_sequences).first->second;
    of.steps[of.first_stream + s] = known.read(rows_of_mask(*mask, s, extent(*node, 1)));
  }
  of.mask = mask;
  of.graph = graph_;
  return of;
}

void attention_hook::calibrate(ggml_tensor* node, std::size_t number) {
  // Layers are computed in ascending order: one that isn't past the last begins another graph.
  if (graph_ == 0 || number <= last_layer_) ++graph_;
  last_layer_ = number;
  layer_state& layer = *layers_.at(number);
  if (node->type != GGML_TYPE_F32 || node->nb[0] != sizeof(float) || node->nb[1] % sizeof(float) != 0)
    refuse(*node, "isn't of float rows");
  for (const chosen_head& each : layer.heads) {
    if (each.head >= extent(*node, 2)) {
      throw act::error(act::error_code::mismatch, "heads",
                       "layer " + std::to_string(number) + " has " + std::to_string(node->ne[2]) +
                           " heads, numbered from 0; head " + std::to_string(each.head) + " isn't one");
    }
  }
  const cache& of = read_mask(node, layer);

  const bool in_memory =
      !settings_.through_copies && (node->buffer == nullptr || ggml_backend_buffer_is_host(node->buffer));
  const std::size_t plane = extent(*node, 1) * node->nb[1];
  std::vector<std::vector<float>> copies(in_memory ? 0 : layer.heads.size());
  layer.last_streams.clear();
  for (std::size_t s = 0; s < of.streams; ++s) {
    const std::size_t stream = of.first_stream + s;
    layer.last_streams.push_back(stream);
    tracked_heads& tracked = layer.of_stream.try_emplace(stream, layer.heads).first->second;
    std::vector<head_rows> maps;
    const auto offset = [&](std::size_t index) {
      return layer.heads[index].head * node->nb[2] + s * node->nb[3];
    };
    for (std::size_t index = 0; index < layer.heads.size(); ++index) {
      float* data = nullptr;
      if (in_memory) {
        data = reinterpret_cast<float*>(static_cast<std::byte*>(node->data) + offset(index));
      } else {
        copies[index].resize(plane / sizeof(float));
        ggml_backend_tensor_get(node, copies[index].data(), offset(index), plane);
        data = copies[index].data();
      }
      maps.push_back({data, node->nb[1] / sizeof(float)});
    }
    tracked.calibrate(of.steps.at(stream), of.of_stream.at(stream).freed(), maps);
    for (std::size_t index = 0; index < copies.size(); ++index)
      ggml_backend_tensor_set(node, copies[index].data(), offset(index), plane);
  }
  layer.was_told = true;
}

void attention_hook::check() {
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  std::size_t untold = 0, first = 0;
  for (const auto& [number, layer] : layers_) {
    if (!std::exchange(layer->was_told, false) && untold++ == 0) first = number;
  }
  if (failure) std::rethrow_exception(failure);
  if (untold == 0) return;
  if (untold == layers_.size()) {
    throw act::error(act::error_code::mismatch, "llama.cpp",
                     "no attention map was shown, so nothing was calibrated: flash attention is on (set "
                     "flash_attn_type to LLAMA_FLASH_ATTN_TYPE_DISABLED), cb_eval isn't set to this hook, or "
                     "nothing was decoded");
  }
  throw act::error(act::error_code::mismatch, "heads",
                   "layer " + std::to_string(first) +
                       " was never computed with an attention map; the model "
                       "has no such layer, or it is of another kind");
}

void attention_hook::forget() {
  caches_.clear();
  for (const auto& [number, layer] : layers_) {
    layer->of = nullptr;
    layer->of_stream.clear();
    layer->last_streams.clear();
  }
}

std::vector<sinks_of_head> attention_hook::sinks() const {
  std::vector<sinks_of_head> all;
  for (const auto& [number, layer] : layers_) {
    for (const std::size_t stream : layer->last_streams) {
      const tracked_heads& tracked = layer->of_stream.at(stream);
      for (const sequence_step& step : layer->of->steps.at(stream)) {
        for (std::size_t index = 0; index < layer->heads.size(); ++index) {
          const std::span<const std::size_t> found = tracked.sinks(index, step.slot);
          all.push_back({stream, step.slot, number, layer->heads[index].head, {found.begin(), found.end()}});
        }
      }
    }
  }
  return all;
}

std::size_t attention_hook::joined() const noexcept {
  std::size_t count = 0;
  for (const std::unique_ptr<cache>& each : caches_) {
    for (const auto& [stream, known] : each->of_stream)
      count += known.joined();
  }
  return count;
}

std::size_t attention_hook::taken_back() const noexcept {
  std::size_t count = 0;
  for (const std::unique_ptr<cache>& each : caches_) {
    for (const auto& [stream, known] : each->of_stream)
      count += known.taken_back();
  }
  return count;
}

}  // namespace act_llama
