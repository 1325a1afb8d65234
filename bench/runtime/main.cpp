// act_runtime_bench: the whole runtime on a real model. Prints a JSON object a line: loading, prefill,
// decoding, scoring, each plain and with calibrated heads that take turns, memory, and logits, so that
// bench/peers/models.py can check that others compute the same before it compares times.
//
//   {"work": "build" | "model" | "memory" | "prefill" | "decode" | "score" | "logits", ...}
//
// What a cell measures:
//   prefill  decoder::start: all layers, keys and values kept, the last position's logits
//   decode   decoder::append behind a prompt of the context's length, the greedy token taken from the logits
//   score    batches packed as act-eval packs them, label words' logits at each prompt's last position
// Rates are of medians over rounds; "seconds" are the rounds' own.
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/io/json_document.hpp>
#include <act/parallel.hpp>
#include <act/runtime/cache_type.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/search/heads_file.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "programs/begin.hpp"
#include "programs/build_record.hpp"
#include "programs/command_line.hpp"
#include "programs/program.hpp"
#include "runtime/process_memory.hpp"
#include "runtime/taking_turns.hpp"
#include "runtime/token_lists.hpp"

namespace {

using act::io::json_document;
using act::runtime::token_id;
using act_bench::token_list;

struct bench_options {
  std::string model, text, prompts, labels, heads_file;
  std::string compute = "f32", cache_type = "f32", prefill = "64,256,1024", decode = "256,2048";
  std::size_t threads = 0, rounds = 5, heads = 24, steps = 32, samples = 64, batch_tokens = 1024;
  std::vector<std::string> only;

  void add_to(act_program::command_line& line) {
    line.add("--model", model, "A GGUF file, or a Hugging Face folder").required().value_name("PATH");
    line.add("--compute", compute, "In what numbers products are computed")
        .one_of({"f32", "bf16", "int8"})
        .show_default();
    line.add("--cache-type", cache_type, "In what numbers decoders keep keys and values")
        .one_of({"f32", "f16"})
        .show_default();
    line.add("--threads", threads, "Threads to use; 0: all cores").within(0, 4096).show_default();
    line.add("--rounds", rounds, "Alternations in each cell; the rate is their median")
        .within(1, 1000)
        .show_default();
    line.add("--only", only, "One kind of work; may be repeated (memory and loading are always shown)")
        .one_of({"prefill", "decode", "score"})
        .one_value_each_time();
    line.add("--prefill", prefill, "Prompt lengths").value_name("N,N").show_default();
    line.add("--decode", decode, "Contexts to decode behind, each at most what the model leaves room for")
        .value_name("N,N")
        .show_default();
    line.add("--steps", steps, "Tokens decoded in a round").within(1, 100000).show_default();
    line.add("--samples", samples, "Prompts scored in a round, where --prompts doesn't say")
        .within(1, 100000)
        .show_default();
    line.add("--batch-tokens", batch_tokens, "Prompts are scored together up to so many tokens; 1: singly")
        .within(1, 1 << 20)
        .show_default();
    line.add("--heads", heads, "Heads calibrated, evenly spread over layers 2..-2; 0: plain work alone")
        .within(0, 100000)
        .show_default();
    line.add("--heads-file", heads_file, "Calibrate this file's heads by its options instead")
        .value_name("FILE");
    line.add("--text", text, "Token ids of a text for prefill and decoding instead of the built-in one")
        .value_name("FILE");
    line.add("--prompts", prompts, "Token ids of the prompts to score, one a line").value_name("FILE");
    line.add("--labels", labels, "Token ids of the label words instead of the built-in two")
        .value_name("N,N");
  }

  [[nodiscard]] bool does(std::string_view work) const {
    return only.empty() || std::find(only.begin(), only.end(), work) != only.end();
  }
};

void print(const json_document& line) {
  std::cout << line.ascii() << std::endl;  // whoever reads along sees each cell when it is done
}

void print_memory(std::string_view after) {
  const act_bench::process_memory memory = act_bench::memory_of_this_process();
  print(json_document::object({{"work", "memory"},
                               {"after", after},
                               {"peak_bytes", memory.peak},
                               {"anonymous_bytes", memory.anonymous},
                               {"file_bytes", memory.file}}));
}

act::runtime::loaded_model load(const bench_options& options) {
  return act::runtime::load_model(options.model, act::runtime::compute_type_named(options.compute).value());
}

std::size_t bytes_stored(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return std::filesystem::file_size(path);
  std::size_t bytes = 0;
  for (const auto& each : std::filesystem::directory_iterator(path)) {
    if (each.is_regular_file()) bytes += each.file_size();
  }
  return bytes;
}

// `count` heads evenly spread over the layers that a search looks at, or over all of a model with fewer.
act::head_set spread_heads(const act::runtime::model_config& config, std::size_t count) {
  const bool deep = config.layers > 4;
  const std::size_t first = deep ? 2 : 0, end = deep ? config.layers - 1 : config.layers;
  const std::size_t all = (end - first) * config.heads;
  act::head_set heads;
  count = std::min(count, all);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = i * all / count;
    heads.insert(first + place / config.heads, place % config.heads);
  }
  return heads;
}

act::runtime::model_calibration calibration_of(const bench_options& options,
                                               const act::runtime::model_config& config) {
  act::runtime::model_calibration calibration;
  if (options.heads_file.empty()) {
    calibration.heads = spread_heads(config, options.heads);
    return calibration;
  }
  const act::search::heads_file file = act::search::read_heads_file(options.heads_file);
  if (file.subset) {
    throw act::error(act::error_code::unsupported, options.heads_file,
                     "calibrates by a part of each prompt, which isn't measured here; use another file");
  }
  for (const act::layer_head& each : file.heads) {
    if (each.layer >= config.layers || each.head >= config.heads)
      throw act::error(act::error_code::mismatch, options.heads_file,
                       "names a head that the model doesn't have; use the model's own file");
  }
  calibration.heads = file.heads;
  calibration.masks = file.masks;
  calibration.strengths = file.strengths;
  if (file.options) calibration.options = *file.options;
  return calibration;
}

class runtime_bench {
 public:
  explicit runtime_bench(const bench_options& options) : options_(options) {
    const double seconds = act_bench::seconds_of([&] { loaded_ = load(options_); });
    calibration_ = calibration_of(options_, config());
    print(json_document::object({{"work", "model"},
                                 {"path", options_.model},
                                 {"compute", options_.compute},
                                 {"cache_type", options_.cache_type},
                                 {"kernels", act::runtime::kernels().name},
                                 {"architecture", config().architecture},
                                 {"layers", config().layers},
                                 {"context", config().context},
                                 {"stored_bytes", bytes_stored(options_.model)},
                                 {"load_seconds", seconds},
                                 {"calibrated_heads", calibration_.heads.size()},
                                 {"rounds", options_.rounds}}));
    print_memory("load");
  }

  void prefill() {
    for (const std::size_t wanted : act_bench::parse_counts(options_.prefill, "--prefill")) {
      const std::size_t tokens = std::min(wanted, config().context);
      const token_list prompt = text(tokens);
      act::runtime::decoder plain(loaded_.model, {}, {}, cache_type());
      act::runtime::decoder calibrated(loaded_.model, calibration_, {}, cache_type());
      const auto taken = take_turns([&](bool calibrate) {
        return act_bench::seconds_of([&] { (calibrate ? calibrated : plain).start(prompt); });
      });
      print_cell({{"work", "prefill"}, {"tokens", tokens}}, taken, static_cast<double>(tokens));
      print_top("prefill", tokens, plain.start(prompt));
    }
    print_memory("prefill");
  }

  void decode() {
    for (const std::size_t wanted : act_bench::parse_counts(options_.decode, "--decode")) {
      if (config().context <= options_.steps) {
        throw act::error(act::error_code::invalid_option, "--steps",
                         "leaves no room for a context in the model's " + std::to_string(config().context) +
                             " positions; give fewer");
      }
      const std::size_t tokens = std::min(wanted, config().context - options_.steps);
      const token_list prompt = text(tokens);
      const started plain(loaded_.model, {}, cache_type(), prompt),
          calibrated(loaded_.model, calibration_, cache_type(), prompt);
      token_list greedy;
      const auto taken = take_turns([&](bool calibrate) {
        const started& from = calibrate ? calibrated : plain;
        act::runtime::decoder sequence = from.decoder;  // goes on from the same prompt in every round
        token_id token = from.first;
        token_list made;
        const double seconds = act_bench::seconds_of([&] {
          for (std::size_t step = 0; step < options_.steps; ++step) {
            made.push_back(token);
            token = largest(sequence.append(token));
          }
        });
        if (!calibrate) greedy = made;
        return seconds;
      });
      print_cell({{"work", "decode"}, {"context", tokens}, {"steps", options_.steps}}, taken,
                 static_cast<double>(options_.steps));
      print(json_document::object(
          {{"work", "logits"}, {"of", "decode"}, {"context", tokens}, {"greedy", greedy}}));
    }
    print_memory("decode");
  }

  void score() {
    const std::vector<token_list> prompts =
        options_.prompts.empty() ? act_bench::short_prompts(text(config().context), options_.samples)
                                 : act_bench::read_token_lists(options_.prompts);
    const std::vector<token_id> labels = label_words();
    std::vector<std::vector<double>> plain, calibrated;
    const auto taken = take_turns([&](bool calibrate) {
      std::vector<std::vector<double>>& scores = calibrate ? calibrated : plain;
      scores.clear();
      return act_bench::seconds_of([&] { score_all(prompts, labels, calibrate, scores); });
    });
    std::size_t tokens = 0;
    for (const token_list& prompt : prompts)
      tokens += prompt.size();
    print_cell({{"work", "score"},
                {"samples", prompts.size()},
                {"tokens", tokens},
                {"batch_tokens", options_.batch_tokens}},
               taken, static_cast<double>(prompts.size()));
    json_document logits = json_document::object(
        {{"work", "logits"}, {"of", "score"}, {"labels", labels}, {"plain", rows_of(plain)}});
    if (calibrates()) logits.set("calibrated", rows_of(calibrated));
    print(logits);
    print_memory("score");
  }

 private:
  [[nodiscard]] act::runtime::cache_type cache_type() const {
    return act::runtime::cache_type_named(options_.cache_type).value_or(act::runtime::cache_type::f32);
  }

  // A sequence behind its prompt.
  struct started {
    started(const act::runtime::model& of, const act::runtime::model_calibration& calibration,
            act::runtime::cache_type stored, const token_list& prompt)
        : decoder(of, calibration, {}, stored), first(largest(decoder.start(prompt))) {}

    act::runtime::decoder decoder;
    token_id first;
  };

  [[nodiscard]] const act::runtime::model_config& config() const { return loaded_.model.config; }
  [[nodiscard]] bool calibrates() const { return !calibration_.heads.empty(); }

  template <class Work>
  [[nodiscard]] act_bench::turns take_turns(Work&& work) const {
    return act_bench::take_turns(options_.rounds, calibrates(), work);
  }

  [[nodiscard]] static token_id largest(std::span<const float> logits) {
    return static_cast<token_id>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }

  [[nodiscard]] token_list text(std::size_t count) const {
    if (options_.text.empty()) return act_bench::built_in_text(*loaded_.tokenizer, count);
    return act_bench::stretched(act_bench::read_token_lists(options_.text).front(), count);
  }

  [[nodiscard]] std::vector<token_id> label_words() const {
    std::vector<token_id> words;
    if (!options_.labels.empty()) {
      for (const std::size_t id : act_bench::parse_counts(options_.labels, "--labels")) {
        if (id >= config().vocabulary)
          throw act::error(act::error_code::invalid_option, "--labels",
                           std::to_string(id) + " is outside the model's vocabulary of " +
                               std::to_string(config().vocabulary) + "; give ids of this model's words");
        words.push_back(static_cast<token_id>(id));
      }
      return words;
    }
    // The first token in which the two words differ: a tokenizer may begin both alike.
    const auto encoded = [&](const char* label) {
      return loaded_.tokenizer->encode(label, act::runtime::special_tokens_in_text::are_text, false);
    };
    const token_list negative = encoded(" negative"), positive = encoded(" positive");
    const auto at = std::mismatch(negative.begin(), negative.end(), positive.begin(), positive.end());
    if (at.first == negative.end() || at.second == positive.end())
      throw act::error(act::error_code::unsupported, options_.model,
                       "has a tokenizer that doesn't tell ' negative' from ' positive'; give --labels");
    words = {*at.first, *at.second};
    return words;
  }

  void score_all(const std::vector<token_list>& prompts, const std::vector<token_id>& labels, bool calibrate,
                 std::vector<std::vector<double>>& scores) const {
    const act::runtime::model_calibration none;
    for (std::size_t first = 0; first < prompts.size();) {
      std::size_t count = 0, tokens = 0;
      for (; first + count < prompts.size(); ++count) {
        tokens += prompts[first + count].size();
        if (count > 0 && tokens > options_.batch_tokens) break;
      }
      const act::runtime::packed_prompts packed =
          act::runtime::pack(config(), std::span(prompts).subspan(first, count));
      const act::runtime::rotary_tables rotary(config().rotary, packed.positions);
      act::runtime::matrix hidden = act::runtime::embed(loaded_.model, packed);
      act::runtime::run_layers(loaded_.model, 0, config().layers, packed, rotary,
                               calibrate ? calibration_ : none, hidden);
      const std::vector<std::span<const token_id>> words(count, labels);
      for (std::vector<double>& row : act::runtime::label_logits(
               loaded_.model, act::runtime::final_hidden(loaded_.model, hidden), words))
        scores.push_back(std::move(row));
      first += count;
    }
  }

  // Rates a second and the rounds' seconds behind them.
  void print_cell(std::initializer_list<act::io::json_member> what, const act_bench::turns& taken,
                  double count) const {
    json_document line = json_document::object(what);
    line.set("plain_rate", count / act_bench::median(taken.plain));
    if (calibrates()) {
      line.set("calibrated_rate", count / act_bench::median(taken.calibrated));
      line.set("added_percent", 100 * taken.added());
    }
    line.set("plain_seconds", taken.plain);
    if (calibrates()) line.set("calibrated_seconds", taken.calibrated);
    print(line);
  }

  static json_document rows_of(const std::vector<std::vector<double>>& rows) {
    json_document list = json_document::array();
    for (const std::vector<double>& row : rows)
      list.push_back(row);
    return list;
  }

  // The five largest logits of a prompt's last position.
  static void print_top(std::string_view work, std::size_t tokens, std::span<const float> logits) {
    std::vector<std::int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const std::size_t count = std::min<std::size_t>(5, order.size());
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(order.begin(), end, order.end(), [&](std::int32_t a, std::int32_t b) {
      return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
    });
    order.erase(end, order.end());
    std::vector<double> values;
    for (const std::int32_t token : order)
      values.push_back(static_cast<double>(logits[static_cast<std::size_t>(token)]));
    print(json_document::object(
        {{"work", "logits"}, {"of", work}, {"tokens", tokens}, {"top", order}, {"logits", values}}));
  }

  const bench_options& options_;
  act::runtime::loaded_model loaded_;
  act::runtime::model_calibration calibration_;
};

void run(const bench_options& options) {
  act::set_thread_count(options.threads);
  const act::report::build_record& built = act_program::built();
  print(json_document::object({{"work", "build"},
                               {"act", ACT_VERSION_STRING},
                               {"revision", built.revision},
                               {"flags", built.flags},
                               {"threads", act::thread_count()}}));
  runtime_bench bench(options);
  if (options.does("prefill")) bench.prefill();
  if (options.does("decode")) bench.decode();
  if (options.does("score")) bench.score();
}

}  // namespace

int main(int count, char** arguments) {
  act_program::begin_program(arguments);
  act_program::command_line line("The runtime's speed and memory on a model, as JSON lines.",
                                 "act_runtime_bench");
  bench_options options;
  options.add_to(line);
  act_program::common_options none;  // this program declares its own
  return act_program::run_program(line, none, count, arguments, [&] { run(options); });
}
