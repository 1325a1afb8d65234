// Decoding with a cache against whole passes, against an independent double-precision form, and against
// published text.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/text_stream.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "message_of.hpp"
#include "report/listed_tokenizer.hpp"
#include "runtime/double_llama.hpp"
#include "runtime/parity_golden.hpp"

using act_test::parity_folder;

namespace {

act::runtime::model tiny(const std::string& name = "tiny-llama-mixed.gguf") {
  const std::filesystem::path path = parity_folder / name;
  if (std::filesystem::is_directory(path)) return act::runtime::read_model(path);
  return act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(path));
}

// Every position's logits by a whole pass over the tokens so far.
std::vector<float> by_whole_pass(const act::runtime::model& model,
                                 const std::vector<act::runtime::token_id>& tokens) {
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, std::span(&tokens, 1));
  act::runtime::matrix logits(1, model.config.vocabulary);
  model.output.all_logits(act::runtime::run_both(model, packed, {}).plain, logits);
  return {logits.data(), logits.data() + logits.size()};
}

act::runtime::token_id likeliest(std::span<const float> logits) {
  return static_cast<act::runtime::token_id>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// Largest difference as a part of the largest logit.
template <class Values>
double difference(std::span<const float> logits, const Values& expected) {
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(logits[i]) - static_cast<double>(expected[i])));
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("greedy decoding with a cache is greedy decoding by whole passes") {
  for (const char* name :
       {"tiny-llama-mixed.gguf", "tiny-llama-new-config", "tiny-opt-prenorm", "tiny-opt-postnorm"}) {
    CAPTURE(name);
    const act::runtime::model model = tiny(name);
    std::vector<act::runtime::token_id> tokens;
    for (std::size_t i = 0; i < 9; ++i)
      tokens.push_back(static_cast<act::runtime::token_id>((i * 7 + 3) % model.config.vocabulary));
    act::runtime::decoder cached(model);
    std::span<const float> logits = cached.start(tokens);
    for (int step = 0; step < 20; ++step) {
      const std::vector<float> whole = by_whole_pass(model, tokens);
      CHECK(difference(logits, whole) < 1e-5);
      REQUIRE(likeliest(logits) == likeliest(whole));
      tokens.push_back(likeliest(logits));
      logits = cached.append(tokens.back());
      CHECK(cached.positions() == tokens.size());
    }
  }
}

TEST_CASE("a cache of halves changes logits by what halves round") {
  for (const char* name : {"tiny-llama-mixed.gguf", "tiny-opt-prenorm"}) {
    CAPTURE(name);
    const act::runtime::model model = tiny(name);
    act::runtime::model_calibration calibration;
    calibration.options.sinks.alpha = 1.1;
    calibration.heads.insert(0, 1);
    calibration.heads.insert(1, 0);
    const std::vector<act::runtime::token_id> prompt{3, 10, 17, 24, 31, 5, 12};
    for (const auto& by : {act::runtime::model_calibration{}, calibration}) {
      act::runtime::decoder exact(model, by), halved(model, by, {}, act::runtime::cache_type::f16);
      std::span<const float> expected = exact.start(prompt), logits = halved.start(prompt);
      double worst = 0;
      for (int step = 0; step < 20; ++step) {
        worst = std::max(worst, difference(logits, expected));
        const act::runtime::token_id token = likeliest(expected);
        expected = exact.append(token);
        logits = halved.append(token);
      }
      CHECK(worst > 1e-7);
      CHECK(worst < 4e-3);
    }
  }
}

TEST_CASE("calibrated decoding equals the definitions in double precision, step by step") {
  const auto golden = act_test::read_parity_golden(parity_folder / "tiny-llama-mixed.json");
  const act::runtime::model model = tiny();
  for (const double alpha : {1.1, 1.5, 2.5}) {
    CAPTURE(alpha);
    act::runtime::model_calibration calibration;
    calibration.options.sinks.alpha = alpha;
    calibration.options.sinks.min_visible_rows = alpha > 2 ? 4 : 1;
    std::set<std::pair<std::size_t, std::size_t>> heads;
    for (std::size_t layer = 0; layer < model.config.layers; ++layer) {
      for (std::size_t head = layer % 2; head < model.config.heads; head += 2) {
        heads.insert({layer, head});
        calibration.heads.insert(layer, head);
      }
    }
    double worst = 0;
    std::size_t sinks = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(golden.prompts.size(), 2); ++i) {
      std::vector<act::runtime::token_id> prompt = golden.prompts[i].tokens;
      prompt.resize(std::min<std::size_t>(prompt.size(), 40));
      reference::double_llama plainly(
          model, heads,
          {.alpha = alpha, .beta = 0.4, .min_visible_rows = calibration.options.sinks.min_visible_rows});
      act::runtime::decoder decoder(model, calibration), plain(model);
      std::span<const float> logits = decoder.start(prompt);
      std::vector<double> expected = plainly.prompt(prompt);
      std::span<const float> uncalibrated = plain.start(prompt);
      double moved = difference(uncalibrated, expected);
      for (int step = 0; step < 16; ++step) {
        worst = std::max(worst, difference(logits, expected));
        const act::runtime::token_id token = likeliest(logits);
        logits = decoder.append(token);
        expected = plainly.append(token);
        uncalibrated = plain.append(token);
        moved = std::max(moved, difference(uncalibrated, expected));
      }
      worst = std::max(worst, difference(logits, expected));
      sinks += plainly.found_sinks;
      CHECK(moved > 100 * worst);
    }
    CHECK(sinks > 0);
    CHECK(worst < 2e-5);
    MESSAGE("alpha " << alpha << ": " << sinks << " sinks while decoding, largest relative difference "
                     << worst);
  }
}

TEST_CASE(
    "a cache that evicts, and one in a model with windows, equal the definitions, calibrated and plain") {
  struct scheme {
    const char* name;
    act::runtime::cache_policy cache;
    std::size_t prompt;
  };
  const scheme schemes[] = {{"tiny-llama-mixed.gguf", {.window = 12, .sinks = 0}, 9},
                            {"tiny-llama-mixed.gguf", {.window = 12, .sinks = 2}, 14},
                            {"tiny-llama-new-config", {.window = 7, .sinks = 1}, 20},
                            {"families/mistral/window", {}, 20},
                            {"families/mistral/window", {.window = 14, .sinks = 3}, 12}};
  enum class calibrating { nothing, by_all_sinks, by_the_prompts };
  std::size_t sinks = 0, of_prompts = 0;
  for (const scheme& each : schemes) {
    CAPTURE(each.name);
    CAPTURE(act::runtime::text_of(each.cache));
    const act::runtime::model model = tiny(each.name);
    std::vector<act::runtime::token_id> tokens;
    for (std::size_t i = 0; i < 40; ++i)
      tokens.push_back(
          static_cast<act::runtime::token_id>((i * i * 5 + 3 * i + 1) % model.config.vocabulary));
    for (const calibrating way :
         {calibrating::nothing, calibrating::by_all_sinks, calibrating::by_the_prompts}) {
      CAPTURE(static_cast<int>(way));
      act::runtime::model_calibration calibration;
      calibration.options.sinks.alpha = 1.5;
      calibration.generated_sinks = way != calibrating::by_the_prompts;
      std::set<std::pair<std::size_t, std::size_t>> heads;
      for (std::size_t layer = 0; way != calibrating::nothing && layer < model.config.layers; ++layer) {
        for (std::size_t head = 0; head < model.config.heads; ++head) {
          heads.insert({layer, head});
          calibration.heads.insert(layer, head);
        }
      }
      reference::double_llama plainly(
          model, heads, {.alpha = 1.5, .position_limit = calibration.generated_sinks ? 0 : each.prompt},
          {.window = each.cache.window, .sinks = each.cache.sinks});
      act::runtime::decoder decoder(model, calibration, each.cache);
      (void)decoder.start(std::vector<act::runtime::token_id>{1, 2, 3});  // the prompt before doesn't count
      const std::span<const act::runtime::token_id> text(tokens);
      const std::size_t at_once =
          each.cache.evicts() ? std::min(each.prompt, each.cache.capacity()) : each.prompt;
      std::span<const float> logits = decoder.start(text.first(each.prompt));
      std::vector<double> expected =
          plainly.prompt({tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(at_once)});
      for (std::size_t i = at_once; i < each.prompt; ++i)
        expected = plainly.append(tokens[i]);
      CHECK(difference(logits, expected) < 2e-5);
      for (std::size_t i = each.prompt; i < tokens.size(); ++i) {
        logits = decoder.append(tokens[i]);
        expected = plainly.append(tokens[i]);
        CAPTURE(i);
        CHECK(difference(logits, expected) < 2e-5);
        CHECK(decoder.has_room());
      }
      if (each.cache.evicts()) CHECK(decoder.positions() == each.cache.capacity());
      (calibration.generated_sinks ? sinks : of_prompts) += plainly.found_sinks;
    }
  }
  CHECK(sinks > 100);
  CHECK(of_prompts > 20);
  CHECK(of_prompts < sinks * 9 / 10);
}

TEST_CASE("what a cache can't keep is refused") {
  const act::runtime::model llama = tiny(), opt = tiny("tiny-opt-prenorm");
  CHECK(act_test::contains(
      act_test::message_of([&] { act::runtime::decoder(opt, {}, {.window = 8, .sinks = 2}); }),
      "positions that can move"));
  CHECK(act_test::contains(act_test::message_of([&] {
                             act::runtime::decoder(llama, {}, {.window = llama.config.context, .sinks = 1});
                           }),
                           "more than the model's context"));
  CHECK(act::runtime::parse_cache_policy("all", "--cache").evicts() == false);
  CHECK(act::runtime::text_of(act::runtime::parse_cache_policy("window:8+sinks:2", "--cache")) ==
        "window:8+sinks:2");
  CHECK(act::runtime::text_of(act::runtime::parse_cache_policy("window:8", "--cache")) == "window:8");
  for (const char* wrong :
       {"", "none", "window:", "window:0", "window:-1", "window:8+", "window:8+sinks:", "sinks:4",
        "window:8+sinks:4+", "window:8+sinks:x", "window:99999999999999999999", "window:8 "}) {
    CAPTURE(wrong);
    CHECK(act_test::contains(
        act_test::message_of([&] { (void)act::runtime::parse_cache_policy(wrong, "--cache"); }), "window:N"));
  }
}

TEST_CASE("a calibrated decoder starts as a calibrated whole pass, beta 1 is plain") {
  const act::runtime::model model = tiny();
  const std::vector<act::runtime::token_id> tokens{1, 5, 9, 2, 33, 7, 5, 5, 12, 4, 8, 15};
  act::runtime::model_calibration calibration;
  calibration.options.sinks.alpha = 1.2;
  calibration.heads.insert(0, 1);
  calibration.heads.insert(2, 3);
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, std::span(&tokens, 1));
  act::runtime::matrix whole(1, model.config.vocabulary);
  model.output.all_logits(act::runtime::run_both(model, packed, calibration).calibrated, whole);
  act::runtime::decoder calibrated(model, calibration);
  const std::span<const float> logits = calibrated.start(tokens);
  CHECK(std::equal(logits.begin(), logits.end(), whole.data()));

  calibration.options.beta = 1;
  act::runtime::decoder same(model, calibration), plain(model);
  const std::span<const float> a = same.start(tokens), b = plain.start(tokens);
  CHECK(difference(a, b) < 1e-6);
  CHECK(difference(same.append(3), plain.append(3)) < 1e-6);
}

TEST_CASE("a decoder can leave what it appends plain") {
  const act::runtime::model model = tiny();
  const std::vector<act::runtime::token_id> tokens{1, 5, 9, 2, 33, 7, 5, 5, 12, 4, 8, 15};
  const std::size_t last = model.config.layers - 1;
  for (const std::size_t layer : {std::size_t{0}, last}) {
    CAPTURE(layer);
    act::runtime::model_calibration calibration;
    calibration.options.sinks.alpha = 1.2;
    calibration.heads.insert(layer, 1);
    act::runtime::decoder both(model, calibration), plain(model);
    calibration.decoding = false;
    act::runtime::decoder prompt(model, calibration);
    const std::span<const float> first = both.start(tokens), same = prompt.start(tokens);
    CHECK(std::equal(first.begin(), first.end(), same.begin()));
    CHECK(difference(first, plain.start(tokens)) > 1e-4);
    for (const act::runtime::token_id next : {3, 9, 21}) {
      const std::span<const float> calibrated = both.append(next), left = prompt.append(next);
      const std::span<const float> never = plain.append(next);
      CHECK(difference(calibrated, left) > 1e-6);
      // Nothing above the last layer remembers that the prompt was calibrated; everything above the first
      // does.
      if (layer == last) {
        CHECK(difference(left, never) == 0);
      } else {
        CHECK(difference(left, never) > 1e-6);
      }
    }
    // Nor does it take a form that decoding knows.
    calibration.options.redistribute = act::redistribution::uniform;
    act::runtime::decoder uniform(model, calibration);
    (void)uniform.start(tokens);
    (void)uniform.append(3);
  }
}

TEST_CASE("results don't depend on the number of threads, and a decoder can start again") {
  const act::runtime::model model = tiny();
  const std::vector<act::runtime::token_id> first{1, 5, 9, 2, 33}, second{4, 4, 8, 30, 2, 1, 9};
  act::runtime::model_calibration calibration;
  calibration.options.sinks.alpha = 1.2;
  calibration.heads.insert(1, 2);
  const auto run = [&](act::runtime::decoder& decoder, const std::vector<act::runtime::token_id>& prompt) {
    decoder.start(prompt);
    decoder.append(7);
    const std::span<const float> logits = decoder.append(11);
    return std::vector<float>(logits.begin(), logits.end());
  };
  act::set_thread_count(1);
  act::runtime::decoder one(model, calibration);
  const std::vector<float> expected = run(one, second);
  act::set_thread_count(3);
  act::runtime::decoder again(model, calibration);
  CHECK(run(again, first) != expected);
  CHECK(run(again, second) == expected);
  act::set_thread_count(0);
}

TEST_CASE("a decoder refuses what it can't do") {
  const act::runtime::model model = tiny();
  act::runtime::decoder empty(model);
  CHECK_THROWS_AS(empty.append(1), act::error);
  CHECK_THROWS_AS(empty.start({}), act::error);
  const std::vector<act::runtime::token_id> outside{
      1, static_cast<act::runtime::token_id>(model.config.vocabulary)};
  CHECK_THROWS_AS(empty.start(outside), act::error);
  const std::vector<act::runtime::token_id> full(model.config.context, 1);
  empty.start(full);
  CHECK(!empty.has_room());
  CHECK_THROWS_AS(empty.append(1), act::error);
  act::runtime::model_calibration calibration;
  calibration.heads.insert(0, model.config.heads);
  CHECK_THROWS_AS(act::runtime::decoder(model, calibration), act::error);
  calibration.heads = {};
  calibration.heads.insert(0, 0);
  calibration.options.behave_as = act::compatibility::authors;
  CHECK_THROWS_AS(act::runtime::decoder(model, calibration), act::error);
}

TEST_CASE("every end of the tokenizer ends a text, and isn't part of it") {
  const act::runtime::model model = tiny();
  const std::vector<std::string> texts(model.config.vocabulary, "x");
  const std::vector<act::runtime::token_id> prompt{1, 5, 9};
  const auto made_with = [&](std::vector<act::runtime::token_id> ends) {
    const act_test::listed_tokenizer by(texts, false, std::move(ends));
    return act::runtime::generate(model, by, prompt, {}, {.max_new_tokens = 12}, [](std::string_view) {});
  };
  const act::runtime::generation whole = made_with({});
  REQUIRE(whole.tokens.size() == 12);
  // The first end in the list, the last, or one of two: what comes earliest in the text counts.
  const act::runtime::token_id other = whole.tokens[0] == 0 ? 1 : 0;
  for (const auto& ends : {std::vector{whole.tokens[4], other}, std::vector{other, whole.tokens[4]}}) {
    const act::runtime::generation made = made_with(ends);
    const auto first = std::find_if(whole.tokens.begin(), whole.tokens.end(), [&](auto token) {
      return std::find(ends.begin(), ends.end(), token) != ends.end();
    });
    CHECK(made.end == act::runtime::generation_end::end_token);
    CHECK(made.tokens == std::vector(whole.tokens.begin(), first));
  }
}

TEST_CASE("stories260K writes the text its authors published") {
  const std::filesystem::path folder =
      std::filesystem::path(ACT_TEST_SHARED) / "models" / "stories260K-llama";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("[skipped] no folder " << folder.string());
    return;
  }
  const act::runtime::loaded_model loaded = act::runtime::load_model(folder);
  std::ifstream page(folder / "stories260K.md");
  const std::string text(std::istreambuf_iterator<char>(page), {});
  const std::size_t begin = text.find("Once upon a time", text.find("-t 0.0"));
  const std::string published = text.substr(begin, text.find("\n```", begin) - begin);

  std::string streamed;
  const std::vector<act::runtime::token_id> prompt = loaded.tokenizer->encode("");
  const act::runtime::generation made =
      act::runtime::generate(loaded.model, *loaded.tokenizer, prompt, {}, {.max_new_tokens = 256},
                             [&](std::string_view piece) { streamed += piece; });
  CHECK(streamed == made.text);
  CHECK(made.text == published);

  const act::runtime::generation cut = act::runtime::generate(
      loaded.model, *loaded.tokenizer, prompt, {},
      {.max_new_tokens = 256, .sampling = {}, .stops = {"in the park", "no such words"}, .end_tokens = {}},
      [](std::string_view) {});
  CHECK(cut.end == act::runtime::generation_end::stop_string);
  CHECK(cut.text == published.substr(0, published.find("in the park")));
}

TEST_CASE("the stream shows whole characters and holds back what may be a stop string") {
  act::runtime::text_stream characters;
  CHECK(characters.append("a\xc3") == "a");
  CHECK(characters.append("\xa4\xf0\x9f") == "\xc3\xa4");
  CHECK(characters.append("\x98") == "");
  CHECK(characters.append("\x80z") == "\xf0\x9f\x98\x80z");
  CHECK(characters.append("\xff\xe0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(characters.append("\xe2\x82") == "");
  CHECK(characters.finish() == "\xef\xbf\xbd");
  CHECK(characters.finish() == "");

  act::runtime::text_stream stops({"\nUser:", "END"});
  CHECK(stops.append("one\n") == "one");
  CHECK(stops.append("Use") == "");
  CHECK(stops.append("d E") == "\nUsed ");
  CHECK(stops.append("N") == "");
  CHECK(!stops.stopped());
  CHECK(stops.append("Dless") == "");
  CHECK(stops.stopped());
  CHECK(stops.append("more") == "");
  CHECK(stops.finish() == "");

  act::runtime::text_stream unfinished({"END"});
  CHECK(unfinished.append("the EN") == "the ");
  CHECK(unfinished.finish() == "EN");
  CHECK_THROWS_AS(act::runtime::text_stream({""}), act::error);
}

TEST_CASE("generation can be stopped between the layers of its prompt, and between tokens") {
  const act::runtime::model model = tiny();
  const act_test::listed_tokenizer tokenizer(std::vector<std::string>(model.config.vocabulary, "a"));
  const std::vector<act::runtime::token_id> prompt{3, 9, 4, 7, 7, 2};
  struct unwanted {};
  const std::size_t layers = model.config.layers;
  // Asked before each layer of the prompt, and before each of the tokens but the first.
  for (const std::size_t stop : {std::size_t{1}, layers, layers + 1, layers + 2}) {
    CAPTURE(stop);
    std::size_t asked = 0, drawn = 0;
    act::runtime::generation_options options{.max_new_tokens = 3};
    options.on_token = [&](act::runtime::token_id, std::span<const float>) { ++drawn; };
    options.still_wanted = [&] {
      if (++asked == stop) throw unwanted();
    };
    CHECK_THROWS_AS((void)generate(model, tokenizer, prompt, {}, options, [](std::string_view) {}), unwanted);
    CHECK(drawn == (stop > layers ? stop - layers : 0));
  }
  // A sequence that was stopped can be started again.
  act::runtime::decoder sequence(model);
  std::size_t asked = 0;
  const auto stops = [&] {
    if (++asked == 2) throw unwanted();
  };
  CHECK_THROWS_AS((void)sequence.start(prompt, stops), unwanted);
  const std::span<const float> again = sequence.start(prompt);
  const std::vector<float> whole = by_whole_pass(model, prompt);
  CHECK(difference(again, whole) < 1e-5);
}
