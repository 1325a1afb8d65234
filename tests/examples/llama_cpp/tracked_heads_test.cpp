// Sequences told by their masks, and their calibration, against an oracle that knows the sequences.
#include "llama_cpp/hook/tracked_heads.hpp"

#include <act/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "examples/llama_cpp/played_cache.hpp"
#include "llama_cpp/hook/sequences.hpp"

using act_test::played_cache;

namespace {

std::vector<act_llama::cell_set> seen_rows(const played_cache::map& map) {
  std::vector<act_llama::cell_set> rows;
  for (std::size_t i = 0; i < map.rows.size(); ++i)
    rows.push_back(act_llama::cell_set::seen_by(std::span(map.mask).subspan(i * map.cells, map.cells)));
  return rows;
}

// One head of one layer, over one stream.
struct player {
  act_llama::sequences sequences;
  act_llama::tracked_heads heads{{{.head = 0, .options = {}}}};
  double worst = 0;
  std::size_t sinks = 0, rows = 0;

  void play(played_cache::map map) {
    const std::vector<float> before = map.weights;
    const std::vector<act_llama::sequence_step>& steps = sequences.read(seen_rows(map));
    const act_llama::head_rows weights{map.weights.data(), map.cells};
    heads.calibrate(steps, sequences.freed(), {&weights, 1});
    for (const act_llama::sequence_step& step : steps) {
      for (const act_llama::placed_row& each : step.rows) {
        if (!each.is_own) continue;
        REQUIRE(map.rows[each.row].token == each.token);
        REQUIRE(map.rows[each.row].first == each.first);
        const std::span<const std::size_t> found = heads.sinks(0, step.slot);
        const std::vector<std::size_t>& expected = map.sinks[map.rows[each.row].sequence];
        REQUIRE(std::vector(found.begin(), found.end()) == expected);
        sinks += expected.size();
        ++rows;
      }
    }
    bool masked_stay = true;
    for (std::size_t k = 0; k < map.weights.size(); ++k) {
      if (std::isnan(before[k])) {
        masked_stay = masked_stay && std::isnan(map.weights[k]);
      } else {
        worst = std::max(worst, std::abs(static_cast<double>(map.weights[k]) - map.expected[k]));
      }
    }
    CHECK(masked_stay);
  }
};

std::vector<int> repeated(int sequence, std::size_t count) {
  return std::vector<int>(count, sequence);
}

}  // namespace

TEST_CASE("prompts in micro-batches and decoding, several sequences in a row, padding, windows") {
  double worst = 0;
  std::size_t sinks = 0, rows = 0;
  for (unsigned seed = 1; seed <= 120; ++seed) {
    const std::size_t window = seed % 3 == 0 ? 3 + seed % 20 : 0;
    played_cache cache(seed, 400, window, seed % 2 == 0);
    player played;
    std::mt19937& random = cache.random();
    int named = 0;
    std::vector<int> alive;
    for (int map = 0; map < 14; ++map) {
      if (alive.empty() || (alive.size() < 5 && random() % 3 == 0)) alive.push_back(named++);
      // Any number of tokens of each, one after another or mixed.
      std::vector<int> batch;
      for (const int sequence : alive) {
        const std::size_t count = random() % 4 == 0 ? random() % 12 : random() % 2;
        const std::vector<int> more =
            repeated(sequence, cache.sequences[sequence].empty() ? count + 1 : count);
        batch.insert(batch.end(), more.begin(), more.end());
      }
      if (random() % 2 == 0) std::shuffle(batch.begin(), batch.end(), random);
      if (random() % 5 == 0) batch.push_back(-1);
      if (cache.free_cells() < batch.size()) break;
      INFO("seed " << seed << ", map " << map);
      played.play(cache.decode(batch));
      if (alive.size() > 2 && random() % 4 == 0) {
        cache.drop(alive.front());
        alive.erase(alive.begin());
      }
    }
    CHECK(played.sequences.joined() == 0);
    CHECK(played.sequences.taken_back() == 0);
    worst = std::max(worst, played.worst);
    sinks += played.sinks;
    rows += played.rows;
  }
  MESSAGE("largest difference from the oracle: " << worst << ", " << rows << " rows, " << sinks << " sinks");
  CHECK(worst <= 2e-6);
  CHECK(sinks > rows / 2);
}

TEST_CASE("tokens are taken back, whether their cells are written again or others") {
  for (const bool lowest_first : {true, false}) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
      played_cache cache(seed, 300, seed % 4 == 0 ? 9 : 0, lowest_first);
      cache.gives_passed_away = false;
      player played;
      std::size_t taken = 0;
      played.play(cache.decode(repeated(0, 20)));
      for (int round = 0; round < 8; ++round) {
        const std::size_t rejected = cache.random()() % 5;
        taken += rejected;
        cache.take_back(0, cache.sequences[0].size() - rejected);
        INFO("seed " << seed << ", round " << round);
        played.play(cache.decode(repeated(0, 1 + cache.random()() % 4)));
      }
      CHECK(played.sequences.joined() == 0);
      CHECK(played.sequences.taken_back() == taken);
      CHECK(played.worst <= 2e-6);
    }
  }
}

TEST_CASE("a prompt that shares its beginning with the one before goes on from there") {
  played_cache cache(3, 256, 0, true);
  player played;
  played.play(cache.decode(repeated(0, 60)));
  cache.take_back(0, 7);
  played.play(cache.decode(repeated(0, 50)));
  CHECK(played.sequences.taken_back() == 53);
  CHECK(played.sequences.size() == 1);
  CHECK(played.worst <= 2e-6);
}

TEST_CASE("a cleared cache needs no word: a row that sees one cell begins a sequence") {
  played_cache cache(4, 256, 0, true);
  player played;
  for (int prompt = 0; prompt < 4; ++prompt) {
    played.play(cache.decode(repeated(prompt, 30 + static_cast<std::size_t>(prompt) * 10)));
    cache.drop(prompt);
  }
  CHECK(played.sequences.taken_back() == 0);
  CHECK(played.sequences.joined() == 0);
  CHECK(played.sequences.size() == 1);
  CHECK(played.worst <= 2e-6);
}

TEST_CASE("sequences share their beginning and part") {
  for (const bool lowest_first : {true, false}) {
    played_cache cache(5, 600, 0, lowest_first);
    player played;
    played.play(cache.decode(repeated(0, 40)));
    for (int beam = 1; beam < 4; ++beam)
      cache.fork(0, beam, 40);
    for (int step = 0; step < 12; ++step)
      played.play(cache.decode({0, 1, 2, 3}));
    // Two beams end, a third parts again.
    cache.drop(1);
    cache.drop(3);
    cache.fork(2, 4, cache.sequences[2].size());
    for (int step = 0; step < 12; ++step)
      played.play(cache.decode({4, 2, 0}));
    CHECK(played.sequences.joined() == 0);
    CHECK(played.sequences.taken_back() == 0);
    CHECK(played.worst <= 2e-6);
  }
}

TEST_CASE("tokens leave the cache in between, and at its beginning") {
  for (const std::size_t kept : {std::size_t{4}, std::size_t{0}}) {
    played_cache cache(6, 100, 0, true);
    player played;
    played.play(cache.decode(repeated(0, 60)));
    for (int shift = 0; shift < 5; ++shift) {
      cache.evict(0, kept, kept + 25);
      for (int step = 0; step < 25; ++step) {
        const played_cache::map map = cache.decode({0});
        if (kept != 0) {
          played.play(map);
          continue;
        }
        // The initial token is gone: whether another stands for it is the tracker's matter, the rows are not.
        const std::vector<act_llama::sequence_step>& steps = played.sequences.read(seen_rows(map));
        REQUIRE(steps.size() == 1);
        CHECK(steps[0].rows[0].token == map.rows[0].token);
        CHECK(steps[0].rows[0].first == 0);
      }
    }
    CHECK(played.sequences.joined() == 0);
    CHECK(played.sequences.taken_back() == 0);
    CHECK(played.worst <= 2e-6);
  }
}

namespace {

// Rows of '1' (seen) and '0', first cell first.
std::vector<act_llama::cell_set> rows_of(const std::vector<std::string>& rows) {
  std::vector<act_llama::cell_set> sets(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t cell = 0; cell < rows[i].size(); ++cell) {
      if (rows[i][cell] == '1') sets[i].insert(cell);
    }
  }
  return sets;
}

}  // namespace

TEST_CASE("rows that two sequences have in common count for both and change once") {
  act_llama::sequences sequences;
  const auto& steps = sequences.read(rows_of({"1000", "1100", "1110", "1101"}));
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].rows.size() == 3);
  REQUIRE(steps[1].rows.size() == 3);
  CHECK(steps[1].rows[0].is_own == false);
  CHECK(steps[1].rows[1].is_own == false);
  CHECK(steps[1].rows[2].is_own == true);
  CHECK(steps[1].rows[2].token == 2);
  CHECK(steps[1].cells == std::vector<std::uint32_t>{0, 1, 3});
  const auto& next = sequences.read(rows_of({"11101", "110101"}));
  REQUIRE(next.size() == 2);
  CHECK(next[0].kept == 3);
  CHECK(next[1].kept == 3);
  CHECK(next[1].cells == std::vector<std::uint32_t>{0, 1, 3, 5});
  CHECK(sequences.joined() == 0);
}

TEST_CASE("a map that isn't causal is refused, and nothing is remembered of it") {
  act_llama::sequences sequences;
  (void)sequences.read(rows_of({"1000", "1100"}));
  CHECK_THROWS_WITH_AS((void)sequences.read(rows_of({"0111", "0111", "0111"})),
                       doctest::Contains("the map isn't causal"), act::error);
  CHECK(sequences.joined() == 0);
  CHECK(sequences.read(rows_of({"1110"}))[0].kept == 2);
}

TEST_CASE("a sequence whose earlier rows never came is taken on from there") {
  act_llama::sequences sequences;
  const auto& steps = sequences.read(rows_of({"0111"}));
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].from == act_llama::sequence_step::none);
  CHECK(steps[0].rows[0].token == 2);
  CHECK(steps[0].cells == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(sequences.joined() == 1);
  sequences.forget();
  CHECK(sequences.size() == 0);
  CHECK(sequences.read(rows_of({"0100"}))[0].from == act_llama::sequence_step::none);
}

TEST_CASE("no more sequences are remembered than asked for") {
  act_llama::sequences sequences(2);
  (void)sequences.read(rows_of({"1"}));
  (void)sequences.read(rows_of({"01"}));
  (void)sequences.read(rows_of({"001"}));
  CHECK(sequences.size() == 2);
  CHECK(sequences.freed().size() == 1);
  CHECK(sequences.read(rows_of({"1001"}))[0].from == act_llama::sequence_step::none);  // forgotten
  CHECK(sequences.joined() == 1);
  CHECK(sequences.read(rows_of({"00101"}))[0].kept == 1);
}

TEST_CASE("biases in a mask are no masks, and rows of any length have their bits") {
  for (const std::size_t cells : {1UL, 63UL, 64UL, 65UL, 130UL}) {
    std::vector<float> mask(cells, -std::numeric_limits<float>::infinity());
    std::size_t count = 0;
    for (std::size_t cell = 0; cell < cells; cell += 3, ++count)
      mask[cell] = -static_cast<float>(cell);
    const act_llama::cell_set seen = act_llama::cell_set::seen_by(mask);
    CHECK(seen.size() == count);
    for (std::size_t cell = 0; cell < cells + 70; ++cell)
      CHECK(seen.contains(cell) == (cell < cells && cell % 3 == 0));
  }
}

TEST_CASE("what a row alone doesn't allow is refused by name") {
  act::calibration_options options;
  options.columns = act::column_choice::initial_token;
  CHECK_THROWS_WITH_AS(act_llama::tracked_heads({{0, options}}), doctest::Contains("columns"), act::error);
  options = {};
  options.redistribute = act::redistribution::uniform;
  CHECK_THROWS_AS(act_llama::tracked_heads({{0, options}}), act::error);
  options = {};
  options.beta = 2;
  CHECK_THROWS_WITH_AS(act_llama::tracked_heads({{0, options}}), doctest::Contains("beta"), act::error);
}

TEST_CASE("threads and neighbours don't matter: many heads at once are what each is alone") {
  const std::size_t count = 12;
  played_cache cache(7, 512, 0, true);
  const played_cache::map map = cache.decode(repeated(0, 300));
  act_llama::sequences sequences;
  const auto& steps = sequences.read(seen_rows(map));
  std::vector<act_llama::chosen_head> chosen(count);
  std::vector<std::vector<float>> planes(count, map.weights);
  std::vector<act_llama::head_rows> rows;
  for (std::size_t h = 0; h < count; ++h) {
    chosen[h].head = h;
    chosen[h].options.beta = 0.1 + 0.05 * static_cast<double>(h);
    rows.push_back({planes[h].data(), map.cells});
  }
  act_llama::tracked_heads together(chosen);
  together.calibrate(steps, {}, rows);
  for (std::size_t h = 0; h < count; ++h) {
    std::vector<float> alone = map.weights;
    act_llama::tracked_heads single({chosen[h]});
    const act_llama::head_rows one{alone.data(), map.cells};
    single.calibrate(steps, {}, {&one, 1});
    CHECK(std::memcmp(alone.data(), planes[h].data(), alone.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(alone.data(), map.weights.data(), alone.size() * sizeof(float)) != 0);
  }
}
