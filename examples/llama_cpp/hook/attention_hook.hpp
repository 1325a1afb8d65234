// Calibrates attention inside llama.cpp, without changing it: a callback for the scheduler of its graphs,
// which is told of each layer's softmaxed map before the product with V and edits the chosen heads in place.
// Needs ggml's public headers and act's core alone; compile it against the ggml that it is loaded beside.
//
//   act_llama::attention_hook hook({{.layer = 20, .head = {.head = 1}}, ...});
//   llama_context_params params = llama_context_default_params();
//   params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;  // flash attention has no map to edit
//   params.cb_eval = act_llama::attention_hook::evaluate;
//   params.cb_eval_user_data = &hook;
//   ...
//   llama_decode(context, batch);
//   hook.check();  // throws when something went wrong or nothing was calibrated
//
// The hook tells sequences by the mask alone (sequences.hpp): batches of several sequences, one cache for all
// of them or one stream each, micro-batches, decoding, forks, tokens taken back, sliding windows.
#pragma once

#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "sequences.hpp"
#include "tracked_heads.hpp"

struct ggml_tensor;

namespace act_llama {

struct layer_choice {
  std::size_t layer = 0;
  chosen_head head = {};
};

/// The sinks of one head in one sequence.
struct sinks_of_head {
  std::size_t stream = 0;    ///< of the cache
  std::size_t sequence = 0;  ///< a number that the hook gave it
  std::size_t layer = 0;
  std::size_t head = 0;
  std::vector<std::size_t> tokens;  ///< of the sequence, ascending
};

/// Belongs to one context and the thread that runs it. llama.cpp keeps its address.
class attention_hook {
 public:
  struct settings {
    std::size_t most_sequences = 256;  ///< remembered in each stream of each cache
    bool through_copies = false;       ///< fetch and store maps as from a device, though they lie in memory
  };

  /// Throws act::error as tracked_heads does. No heads: nothing is ever edited.
  explicit attention_hook(const std::vector<layer_choice>& heads) : attention_hook(heads, settings{}) {}
  attention_hook(const std::vector<layer_choice>& heads, settings of);
  attention_hook(const attention_hook&) = delete;
  attention_hook& operator=(const attention_hook&) = delete;
  ~attention_hook();

  /// The callback, a ggml_backend_sched_eval_callback; `hook` points to an attention_hook. Throws nothing:
  /// check() does. After an error maps stay as they are.
  static bool evaluate(ggml_tensor* node, bool ask, void* hook) noexcept;

  /// To be called after each llama_decode. Throws act::error: what went wrong since the last call, or
  /// mismatch when a chosen layer's map wasn't shown, as with flash attention or a layer that the model
  /// doesn't have.
  void check();

  /// The cache was cleared and filled by something else than decoding (a loaded state), or its cells were
  /// moved: what is known of sequences is forgotten. Not needed after llama_memory_clear and for prompts that
  /// begin anew.
  void forget();

  /// The sinks that the last map's sequences have, of all chosen heads.
  [[nodiscard]] std::vector<sinks_of_head> sinks() const;
  /// How many sequences were taken on without their earlier rows, whose attention is missing in the sums.
  [[nodiscard]] std::size_t joined() const noexcept;
  /// How many tokens were taken back; what their rows gave to earlier tokens stays in the sums.
  [[nodiscard]] std::size_t taken_back() const noexcept;

 private:
  struct layer_state;
  struct cache;

  void calibrate(ggml_tensor* node, std::size_t layer);
  cache& read_mask(const ggml_tensor* node, layer_state& layer);

  settings settings_;
  std::map<std::size_t, std::unique_ptr<layer_state>> layers_;
  std::vector<std::unique_ptr<cache>> caches_;
  std::size_t last_layer_ = 0;
  std::size_t graph_ = 0;
  std::exception_ptr failure_;
};

}  // namespace act_llama
