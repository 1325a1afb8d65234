// The hook inside a real llama.cpp, on small models of many families, against act's own runtime.
#include "llama_cpp/hook/attention_hook.hpp"

#include <act/error.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/load_model.hpp>

#include <doctest/doctest.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

using act_llama::attention_hook;

namespace {

const std::string models = std::string(ACT_TEST_GOLDEN_DIR) + "/llama_cpp/";
const std::string llama = models + "llama-base.gguf", gemma3 = models + "gemma3_text-base.gguf";

// Half of the heads, and options by which a short text of a random model has sinks.
act::calibration_options options() {
  act::calibration_options made;
  made.sinks.alpha = 1.2;
  made.beta = 0.1;
  return made;
}

struct loaded {
  llama_model* model;
  explicit loaded(const std::string& path) {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_backend_init();
    model = llama_model_load_from_file(path.c_str(), llama_model_default_params());
    REQUIRE(model != nullptr);
  }
  loaded(const loaded&) = delete;
  ~loaded() { llama_model_free(model); }

  act::head_set heads() const {
    act::head_set chosen;
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(llama_model_n_layer(model)); ++layer) {
      for (std::size_t head = layer % 2; head < static_cast<std::size_t>(llama_model_n_head(model));
           head += 2)
        chosen.insert(layer, head);
    }
    return chosen;
  }
  std::vector<act_llama::layer_choice> choices(const act::calibration_options& with = options()) const {
    std::vector<act_llama::layer_choice> chosen;
    for (const act::layer_head& each : heads())
      chosen.push_back({each.layer, {each.head, with}});
    return chosen;
  }
  // Tokens of a text, without special ones.
  std::vector<llama_token> text(std::size_t count, unsigned seed = 1) const {
    const auto vocabulary = static_cast<unsigned>(llama_vocab_n_tokens(llama_model_get_vocab(model)));
    std::vector<llama_token> tokens(count);
    for (llama_token& each : tokens) {
      seed = seed * 1664525U + 1013904223U;
      each = static_cast<llama_token>(4 + (seed >> 8) % (vocabulary - 4));
    }
    return tokens;
  }
};

struct placed_token {
  llama_token token;
  int position, sequence;
};

struct engine {
  std::unique_ptr<attention_hook> hook;
  llama_context* context = nullptr;
  std::size_t vocabulary;

  engine(const loaded& from, std::vector<act_llama::layer_choice> heads,
         const std::function<void(llama_context_params&)>& change = {},
         attention_hook::settings settings = attention_hook::settings{})
      : hook(std::make_unique<attention_hook>(heads, settings)),
        vocabulary(static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(from.model)))) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = 256;
    params.n_threads = params.n_threads_batch = 1;
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.cb_eval = attention_hook::evaluate;
    params.cb_eval_user_data = hook.get();
    if (change) change(params);
    context = llama_init_from_model(from.model, params);
    REQUIRE(context != nullptr);
  }
  engine(const engine&) = delete;
  ~engine() { llama_free(context); }

  llama_memory_t memory() const { return llama_get_memory(context); }

  // The logits behind each of these tokens.
  std::vector<std::vector<float>> run(const std::vector<placed_token>& tokens) {
    llama_batch batch = llama_batch_init(static_cast<std::int32_t>(tokens.size()), 0, 1);
    batch.n_tokens = static_cast<std::int32_t>(tokens.size());
    for (std::size_t k = 0; k < tokens.size(); ++k) {
      batch.token[k] = tokens[k].token;
      batch.pos[k] = tokens[k].position;
      batch.n_seq_id[k] = 1;
      batch.seq_id[k][0] = tokens[k].sequence;
      batch.logits[k] = 1;
    }
    const int refused = llama_decode(context, batch);
    llama_batch_free(batch);
    REQUIRE(refused == 0);
    std::vector<std::vector<float>> rows;
    for (std::size_t k = 0; k < tokens.size(); ++k) {
      const float* const row = llama_get_logits_ith(context, static_cast<std::int32_t>(k));
      rows.emplace_back(row, row + vocabulary);
    }
    return rows;
  }
  std::vector<float> run(const std::vector<llama_token>& tokens, int from = 0, int sequence = 0) {
    return run(at(tokens, from, sequence)).back();
  }
  static std::vector<placed_token> at(const std::vector<llama_token>& tokens, int from, int sequence) {
    std::vector<placed_token> placed;
    for (const llama_token each : tokens)
      placed.push_back({each, from++, sequence});
    return placed;
  }
};

double largest(std::span<const float> values) {
  double most = 0;
  for (const float each : values)
    most = std::max(most, std::abs(static_cast<double>(each)));
  return most;
}

// The largest difference, relative to the largest value.
double difference(std::span<const float> a, std::span<const float> b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    worst = std::max(worst, std::abs(static_cast<double>(a[k]) - static_cast<double>(b[k])));
  return worst / largest(b);
}

}  // namespace

TEST_CASE("every family's prompts and decoding are calibrated as act's own runtime does it") {
  std::vector<std::string> paths;
  for (const auto& each : std::filesystem::directory_iterator(models)) {
    if (each.path().extension() == ".gguf") paths.push_back(each.path().string());
  }
  std::sort(paths.begin(), paths.end());
  REQUIRE(paths.size() >= 5);
  double worst = 0, moved = 0;
  for (const std::string& path : paths) {
    INFO(path);
    const loaded from(path);
    const std::vector<llama_token> text = from.text(14);
    const act::runtime::model model =
        act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(path));
    act::runtime::decoder ours(model, {.heads = from.heads(), .options = options()}), ours_plain(model);
    engine theirs(from, from.choices()), theirs_plain(from, {});
    double apart = 0, plain_apart = 0, moves = 0;
    for (std::size_t step = 0; step < 6; ++step) {
      // A prompt of nine tokens, then one by one.
      const std::size_t first = step == 0 ? 0 : 8 + step;
      const std::vector<llama_token> now(text.begin() + static_cast<std::ptrdiff_t>(first),
                                         text.begin() + static_cast<std::ptrdiff_t>(9 + step));
      const auto next = [&](act::runtime::decoder& each) {
        return step == 0 ? each.start(now) : each.append(now[0]);
      };
      const std::span<const float> expected = next(ours), expected_plain = next(ours_plain);
      const std::vector<float> got = theirs.run(now, static_cast<int>(first));
      const std::vector<float> got_plain = theirs_plain.run(now, static_cast<int>(first));
      theirs.hook->check();
      apart = std::max(apart, difference(got, expected));
      plain_apart = std::max(plain_apart, difference(got_plain, expected_plain));
      moves = std::max(moves, difference(expected, expected_plain));
    }
    // The engines' own difference is that of plain logits: ggml reads GELU from a table in half precision.
    CHECK(apart <= 4 * plain_apart + 1e-5);
    worst = std::max(worst, apart / moves);
    moved = std::max(moved, moves);
    CHECK(theirs.hook->joined() == 0);
    CHECK(theirs.hook->taken_back() == 0);
  }
  MESSAGE(paths.size() << " models: largest difference " << worst << " of what calibration changes");
  CHECK(worst <= 2e-3);
  CHECK(moved > 0.5);
}

TEST_CASE("nothing is edited where nothing is chosen, and what is asked for leaves no bit changed") {
  const loaded from(llama);
  const std::vector<llama_token> text = from.text(40);
  engine without(from, {}, [](llama_context_params& params) { params.cb_eval = nullptr; });
  engine empty(from, {});
  act::calibration_options nothing = options();
  nothing.beta = 1;
  engine kept(from, from.choices(nothing)), calibrated(from, from.choices());
  const std::vector<float> expected = without.run(text);
  CHECK(empty.run(text) == expected);
  CHECK_NOTHROW(empty.hook->check());
  CHECK(kept.run(text) == expected);
  CHECK_NOTHROW(kept.hook->check());
  const std::vector<float> changed = calibrated.run(text);
  CHECK(difference(changed, expected) > 0.1);
  engine fetched(from, from.choices(), {}, {.through_copies = true});
  CHECK(fetched.run(text) == changed);
}

TEST_CASE("a hook that is never shown a map says so") {
  const loaded from(llama);
  engine flash(from, from.choices(), [](llama_context_params& params) {
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    params.type_k = params.type_v = GGML_TYPE_F16;
  });
  (void)flash.run(from.text(8));
  CHECK_THROWS_WITH_AS(flash.hook->check(), doctest::Contains("flash attention is on"), act::error);

  std::vector<act_llama::layer_choice> beyond = from.choices();
  beyond.push_back({40, {0, options()}});
  engine deep(from, beyond);
  (void)deep.run(from.text(8));
  CHECK_THROWS_WITH_AS(deep.hook->check(), doctest::Contains("layer 40"), act::error);

  engine wide(from, {{1, {9, options()}}});
  (void)wide.run(from.text(8));
  CHECK_THROWS_WITH_AS(wide.hook->check(), doctest::Contains("head 9"), act::error);
  (void)wide.run(from.text(1), 8);  // and every time
  CHECK_THROWS_WITH_AS(wide.hook->check(), doctest::Contains("head 9"), act::error);
}

TEST_CASE("a map that isn't causal is refused") {
  const loaded from(llama);
  engine encoder(from, from.choices());
  llama_set_causal_attn(encoder.context, false);
  (void)encoder.run(from.text(8));
  CHECK_THROWS_WITH_AS(encoder.hook->check(), doctest::Contains("isn't causal"), act::error);
}

TEST_CASE("micro-batches are so many calls") {
  for (const std::string& path : {llama, gemma3}) {
    const loaded from(path);
    const std::vector<llama_token> text = from.text(48);
    engine cut(from, from.choices(), [](llama_context_params& params) { params.n_ubatch = 16; });
    engine called(from, from.choices());
    const std::vector<float> got = cut.run(text);
    std::vector<float> expected;
    for (int first = 0; first < 48; first += 16)
      expected = called.run(std::vector<llama_token>(text.begin() + first, text.begin() + first + 16), first);
    CHECK(got == expected);
    CHECK(cut.hook->joined() == 0);
  }
}

TEST_CASE("sequences of one batch are what each is alone, in one cache or a stream each") {
  for (const std::string& path : {llama, gemma3}) {
    for (const bool unified : {true, false}) {
      INFO(path << (unified ? " unified" : " streams"));
      const loaded from(path);
      engine together(from, from.choices(), [&](llama_context_params& params) {
        params.n_seq_max = 4;
        params.n_ctx = 1024;
        params.kv_unified = unified;
      });
      std::vector<std::unique_ptr<engine>> alone;
      std::vector<std::vector<llama_token>> texts;
      std::vector<placed_token> batch;
      for (int sequence = 0; sequence < 4; ++sequence) {
        // llama.cpp cuts prompts of different length for streams, and calibrates the pieces one by one.
        const std::size_t length = 9 + (unified ? static_cast<std::size_t>(sequence) * 5 : 6);
        texts.push_back(from.text(length + 12, static_cast<unsigned>(sequence) + 7));
        alone.push_back(std::make_unique<engine>(from, from.choices()));
        const std::vector<llama_token> prompt(texts.back().begin(), texts.back().end() - 12);
        const std::vector<placed_token> placed = engine::at(prompt, 0, sequence);
        batch.insert(batch.end(), placed.begin(), placed.end());
      }
      const std::vector<std::vector<float>> rows = together.run(batch);
      together.hook->check();
      for (std::size_t k = 0, sequence = 0; k < batch.size(); ++k) {
        if (k + 1 < batch.size() && batch[k + 1].sequence == batch[k].sequence) continue;
        const std::vector<llama_token> prompt(texts[sequence].begin(), texts[sequence].end() - 12);
        CHECK(difference(rows[k], alone[sequence]->run(prompt)) <= 2e-4);
        ++sequence;
      }
      // All of them, some of them, one: the first stream of a map isn't always the cache's first.
      const std::vector<std::vector<int>> groups{{0, 1, 2, 3}, {1, 2}, {3}, {2, 3}, {0, 1, 2, 3}, {1}};
      std::vector<int> position(4), used(4, 0);
      for (std::size_t sequence = 0; sequence < 4; ++sequence)
        position[sequence] = static_cast<int>(texts[sequence].size()) - 12;
      for (const std::vector<int>& group : groups) {
        batch.clear();
        for (const int sequence : group) {
          const auto at = static_cast<std::size_t>(sequence);
          batch.push_back({texts[at][static_cast<std::size_t>(position[at])], position[at], sequence});
          ++position[at];
        }
        const std::vector<std::vector<float>> stepped = together.run(batch);
        together.hook->check();
        for (std::size_t k = 0; k < batch.size(); ++k) {
          const auto at = static_cast<std::size_t>(batch[k].sequence);
          CHECK(difference(stepped[k], alone[at]->run({batch[k].token}, batch[k].position)) <= 2e-4);
        }
      }
      CHECK(together.hook->joined() == 0);
      CHECK(together.hook->taken_back() == 0);
    }
  }
}

TEST_CASE("sequences that part go on as if each had been alone") {
  const loaded from(llama);
  engine together(from, from.choices(), [](llama_context_params& params) {
    params.n_seq_max = 2;
    params.kv_unified = true;
  });
  engine first(from, from.choices()), second(from, from.choices());
  const std::vector<llama_token> prompt = from.text(20), a = from.text(6, 2), b = from.text(6, 3);
  CHECK(together.run(prompt) == first.run(prompt));
  (void)second.run(prompt);
  llama_memory_seq_cp(together.memory(), 0, 1, -1, -1);
  for (int step = 0; step < 6; ++step) {
    const auto at = static_cast<std::size_t>(step);
    const auto rows = together.run({{a[at], 20 + step, 0}, {b[at], 20 + step, 1}});
    CHECK(difference(rows[0], first.run({a[at]}, 20 + step)) <= 1e-5);
    CHECK(difference(rows[1], second.run({b[at]}, 20 + step)) <= 1e-5);
  }
  CHECK(together.hook->joined() == 0);
  CHECK(together.hook->taken_back() == 0);
}

TEST_CASE("a sliding window whose cells are given away says the same as one that keeps them") {
  const loaded from(gemma3);
  const std::vector<llama_token> text = from.text(500);
  const auto setting = [](bool whole) {
    return [whole](llama_context_params& params) {
      params.n_ctx = params.n_batch = 512;
      params.n_ubatch = 32;
      params.swa_full = whole;
    };
  };
  engine kept(from, from.choices(), setting(true)), given(from, from.choices(), setting(false));
  CHECK(difference(given.run(text), kept.run(text)) <= 1e-4);
  for (int step = 0; step < 4; ++step) {
    const llama_token next = text[static_cast<std::size_t>(step)];
    CHECK(difference(given.run({next}, 500 + step), kept.run({next}, 500 + step)) <= 1e-4);
  }
  CHECK(given.hook->joined() == 0);
  CHECK(given.hook->taken_back() == 0);
  CHECK(kept.hook->joined() == 0);
}

TEST_CASE("tokens taken back, a context shifted, a cache cleared or loaded") {
  const loaded from(llama);
  const std::vector<llama_token> text = from.text(40), other = from.text(30, 5);
  engine fresh(from, from.choices()), used(from, from.choices());
  (void)used.run(text);
  llama_memory_seq_rm(used.memory(), 0, 37, -1);
  (void)used.run({text[0]}, 37);
  used.hook->check();
  CHECK(used.hook->taken_back() == 3);
  // As llama.cpp's own programs shift.
  llama_memory_seq_rm(used.memory(), 0, 4, 20);
  llama_memory_seq_add(used.memory(), 0, 20, -1, -16);
  for (int step = 0; step < 5; ++step)
    (void)used.run({text[1]}, 22 + step);
  used.hook->check();
  CHECK(used.hook->joined() == 0);
  CHECK(used.hook->taken_back() == 3);

  llama_memory_clear(used.memory(), true);
  CHECK(used.run(other) == fresh.run(other));
  CHECK(used.hook->joined() == 0);

  std::vector<std::uint8_t> state(llama_state_seq_get_size(fresh.context, 0));
  REQUIRE(llama_state_seq_get_data(fresh.context, state.data(), state.size(), 0) == state.size());
  engine resumed(from, from.choices());
  REQUIRE(llama_state_seq_set_data(resumed.context, state.data(), state.size(), 0) != 0);
  resumed.hook->forget();
  (void)resumed.run({text[0]}, 30);
  resumed.hook->check();
  CHECK(resumed.hook->joined() == 1);
}
