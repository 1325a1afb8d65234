/* libact from C99: every call once, against the definitions in plain loops; what is refused; callers of other versions. */
#include <act/c.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, act_last_message()); \
      ++failures;                                                               \
    }                                                                           \
  } while (0)

enum { HEADS = 3, TOKENS = 90, CHANNELS = 24, MAP = HEADS * TOKENS * TOKENS, ROWS = HEADS * TOKENS * CHANNELS };

static float map_of[MAP], raw[MAP];
static double plain[MAP];
static float q[ROWS], k[ROWS], v[ROWS], out[ROWS], beside[ROWS];

static unsigned state = 1;
static float number(void) { /* -1 .. 1 */
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / 8388608.0f - 1.0f;
}

/* Softmaxed causal rows in which a few keys draw attention, as doubles in `plain` and floats in `raw`. */
static void make_map(void) {
  int h, i, j, c;
  for (i = 0; i < ROWS; ++i) {
    q[i] = number();
    k[i] = number();
    v[i] = number();
  }
  for (h = 0; h < HEADS; ++h) {
    for (i = 0; i < TOKENS; ++i) {
      q[(h * TOKENS + i) * CHANNELS] = 1.0f;
      k[(h * TOKENS + i) * CHANNELS] = i % 23 == 9 ? 20.0f : 0.0f;
    }
    for (i = 0; i < TOKENS; ++i) {
      double* row = plain + (h * TOKENS + i) * TOKENS;
      double sum = 0;
      for (j = 0; j <= i; ++j) {
        double score = 0;
        for (c = 0; c < CHANNELS; ++c)
          score += (double)q[(h * TOKENS + i) * CHANNELS + c] * (double)k[(h * TOKENS + j) * CHANNELS + c];
        row[j] = exp(score / sqrt((double)CHANNELS));
        sum += row[j];
      }
      for (j = 0; j < TOKENS; ++j)
        row[j] = j <= i ? row[j] / sum : 0;
    }
  }
  for (i = 0; i < MAP; ++i)
    raw[i] = (float)plain[i];
}

/* The paper's calibration of one head, from its definition. Returns the number of sinks. */
static size_t calibrate_by_definition(double* head) {
  int is_sink[TOKENS];
  size_t sinks = 0;
  int i, j;
  for (j = 0; j < TOKENS; ++j) {
    double sum = 0;
    for (i = j; i < TOKENS; ++i)
      sum += head[i * TOKENS + j];
    is_sink[j] = j > 0 && sum / (TOKENS - j) > 5.0 / TOKENS;
    sinks += is_sink[j] ? 1u : 0u;
  }
  for (i = 0; i < TOKENS; ++i) {
    double on = 0, elsewhere = 0;
    for (j = 0; j <= i; ++j)
      *(is_sink[j] ? &on : &elsewhere) += head[i * TOKENS + j];
    if (on == 0) continue;
    for (j = 0; j <= i; ++j)
      head[i * TOKENS + j] *= is_sink[j] ? 0.4 : 1 + 0.6 * on / elsewhere;
  }
  return sinks;
}

/* An engine's threads: none. */
static void run_all(void* pool, size_t count, void (*each)(void* of, size_t number), void* of) {
  size_t n;
  for (n = 0; n < count; ++n)
    each(of, n);
  ++*(int*)pool;
}

static double largest_map_difference(const double* expected) {
  double worst = 0;
  int i;
  for (i = 0; i < MAP; ++i)
    worst = fmax(worst, fabs((double)map_of[i] - expected[i]));
  return worst;
}

static double largest_output_difference(const double* weights, const float* got) {
  double worst = 0;
  int h, i, j, c;
  for (h = 0; h < HEADS; ++h) {
    for (i = 0; i < TOKENS; ++i) {
      for (c = 0; c < CHANNELS; ++c) {
        double sum = 0;
        for (j = 0; j < TOKENS; ++j)
          sum += weights[(h * TOKENS + i) * TOKENS + j] * (double)v[(h * TOKENS + j) * CHANNELS + c];
        worst = fmax(worst, fabs(sum - (double)got[(h * TOKENS + i) * CHANNELS + c]));
      }
    }
  }
  return worst;
}

/* What a newer library's caller may have: one more member. */
struct newer_options {
  act_options known;
  size_t unknown;
};

int main(void) {
  const size_t chosen_heads[] = {2, 0};
  static double expected[MAP];
  act_heads* chosen = NULL;
  act_heads* all = NULL;
  act_map map = ACT_MAP_PACKED(ACT_FLOAT32, map_of, 1, HEADS, TOKENS, TOKENS);
  act_tensor tq = ACT_TENSOR_PACKED(ACT_FLOAT32, q, 1, HEADS, TOKENS, CHANNELS);
  act_tensor tk = ACT_TENSOR_PACKED(ACT_FLOAT32, k, 1, HEADS, TOKENS, CHANNELS);
  act_tensor tv = ACT_TENSOR_PACKED(ACT_FLOAT32, v, 1, HEADS, TOKENS, CHANNELS);
  act_tensor to = ACT_TENSOR_PACKED(ACT_FLOAT32, out, 1, HEADS, TOKENS, CHANNELS);
  act_tensor tb = ACT_TENSOR_PACKED(ACT_FLOAT32, beside, 1, HEADS, TOKENS, CHANNELS);
  act_context context = ACT_CONTEXT_INIT;
  act_executor executor = ACT_EXECUTOR_INIT;
  act_options options = ACT_OPTIONS_INIT;
  size_t counts[HEADS] = {99, 99, 99};
  static size_t positions[HEADS * TOKENS];
  static double carried[HEADS * TOKENS];
  size_t sinks[HEADS];
  int calls = 0, h, i;
  size_t bytes;

  printf("act %s, %s\n", act_version(), act_instruction_set());
  make_map();
  CHECK(act_heads_create(chosen_heads, 2, &chosen) == ACT_OK);
  CHECK(act_heads_create_all(&all) == ACT_OK);

  /* A map: memory and threads of the library's, then of ours. */
  memcpy(expected, plain, sizeof expected);
  sinks[0] = calibrate_by_definition(expected);
  sinks[2] = calibrate_by_definition(expected + 2 * TOKENS * TOKENS);
  CHECK(sinks[0] > 0 && sinks[2] > 0);
  memcpy(map_of, raw, sizeof raw);
  CHECK(act_calibrate(&map, chosen, NULL, NULL, NULL) == ACT_OK);
  CHECK(largest_map_difference(expected) < 1e-6);
  memcpy(map_of, raw, sizeof raw);
  bytes = act_calibrate_workspace(&map, chosen, NULL);
  CHECK(bytes > 0);
  context.workspace = malloc(bytes);
  context.workspace_bytes = bytes;
  context.sink_counts = counts;
  context.sink_positions = positions;
  executor.workers = 2;
  executor.pool = &calls;
  executor.run = run_all;
  context.executor = &executor;
  CHECK(act_calibrate(&map, chosen, NULL, &context, NULL) == ACT_OK);
  CHECK(largest_map_difference(expected) < 1e-6);
  CHECK(counts[0] == sinks[0] && counts[1] == 99 && counts[2] == sinks[2]);
  CHECK(positions[0] % 23 == 9);
  CHECK(act_last_message()[0] == '\0');
  context.workspace_bytes = bytes - 1;
  CHECK(act_calibrate(&map, chosen, NULL, &context, NULL) == ACT_WORKSPACE_TOO_SMALL);
  CHECK(strncmp(act_last_message(), "workspace: ", 11) == 0);
  free(context.workspace);

  /* Attention. */
  calibrate_by_definition(expected + TOKENS * TOKENS);
  CHECK(act_calibrated_attention(&tq, &tk, &tv, &to, all, NULL, NULL, NULL, &tb, carried) == ACT_OK);
  CHECK(largest_output_difference(expected, out) < 1e-4);
  CHECK(largest_output_difference(plain, beside) < 1e-4);
  bytes = act_calibrated_attention_workspace(&tq, &tk, &tv, &to, all, NULL, NULL, &executor);
  context.workspace = malloc(bytes);
  context.workspace_bytes = bytes;
  memset(out, 0, sizeof out);
  calls = 0;
  CHECK(act_calibrated_attention(&tq, &tk, &tv, &to, all, NULL, NULL, &context, NULL, NULL) == ACT_OK);
  CHECK(largest_output_difference(expected, out) < 1e-4);
  CHECK(calls == 1);
  free(context.workspace);

  /* Outputs of a kernel. */
  {
    float log_sum_exp[HEADS * TOKENS];
    int c;
    for (h = 0; h < HEADS; ++h) {
      for (i = 0; i < TOKENS; ++i) {
        double score = 0;
        for (c = 0; c < CHANNELS; ++c)
          score += (double)q[(h * TOKENS + i) * CHANNELS + c] * (double)k[h * TOKENS * CHANNELS + c];
        log_sum_exp[h * TOKENS + i] =
            (float)(score / sqrt((double)CHANNELS) - log(plain[(h * TOKENS + i) * TOKENS]));
      }
    }
    CHECK(act_correct_output_workspace(&tb, &tq, &tk, &tv, all, NULL, NULL, NULL) > 0);
    CHECK(act_correct_output(&tb, log_sum_exp, &tq, &tk, &tv, all, NULL, NULL, NULL, NULL, NULL) == ACT_OK);
    CHECK(largest_output_difference(expected, beside) < 1e-4);
  }

  /* Decoding: a prompt of all but the last token, then that token. */
  {
    act_trackers* trackers = NULL;
    act_trackers* fork = NULL;
    act_visibility visible = ACT_VISIBILITY_INIT;
    act_attention attention = ACT_ATTENTION_INIT;
    static float row[TOKENS];
    static double last[MAP];
    act_tensor one = tq, result = to;
    double moved = -1;
    void* saved;
    memset(carried, 0, sizeof carried);
    for (h = 0; h < HEADS; ++h)
      for (i = 0; i < (TOKENS - 1) * TOKENS; ++i)
        carried[h * TOKENS + i % TOKENS] += plain[h * TOKENS * TOKENS + i];
    CHECK(act_trackers_create(NULL, HEADS, &trackers) == ACT_OK);
    for (h = 0; h < HEADS; ++h)
      CHECK(act_trackers_start(trackers, (size_t)h, carried + h * TOKENS, TOKENS - 1, NULL, 1, 0, TOKENS - 1) ==
            ACT_OK);
    CHECK(act_trackers_copy(trackers, &fork) == ACT_OK);
    memcpy(row, raw + (TOKENS - 1) * TOKENS, sizeof row);
    CHECK(act_trackers_calibrate_row(fork, 0, ACT_FLOAT32, row, TOKENS, 0, &moved) == ACT_OK);
    CHECK(moved > 0);
    CHECK(act_trackers_keys(fork, 0) == TOKENS && act_trackers_keys(trackers, 0) == TOKENS - 1);
    CHECK(act_trackers_sinks(fork, 0, positions, TOKENS) == sinks[0]);
    CHECK(act_trackers_score(fork, 0, positions[0]) > 5.0 / TOKENS);
    for (i = 0; i < TOKENS; ++i)
      CHECK(fabs((double)row[i] - expected[(TOKENS - 1) * TOKENS + i]) < 1e-6);
    bytes = act_trackers_save(fork, 0, NULL, 0);
    saved = malloc(bytes);
    CHECK(act_trackers_save(fork, 0, saved, bytes) == bytes);
    CHECK(act_trackers_retract(fork, 0, ACT_FLOAT32, raw + (TOKENS - 1) * TOKENS, TOKENS, 0) == ACT_OK);
    CHECK(act_trackers_keys(fork, 0) == TOKENS - 1);
    CHECK(act_trackers_load(fork, 0, saved, bytes) == ACT_OK && act_trackers_keys(fork, 0) == TOKENS);
    CHECK(act_trackers_load(fork, 0, saved, bytes - 1) == ACT_INVALID_INPUT);
    CHECK(act_trackers_evict(fork, 0, 3, 8) == ACT_OK && act_trackers_keys(fork, 0) == TOKENS - 5);
    CHECK(act_trackers_evict(fork, 0, 3, 800) == ACT_INVALID_SHAPE);
    CHECK(act_trackers_evict(fork, HEADS, 3, 8) == ACT_INVALID_SHAPE);
    CHECK(act_trackers_calibrate_row(fork, 0, ACT_FLOAT32, NULL, TOKENS, 0, NULL) == ACT_INVALID_SHAPE);
    CHECK(act_trackers_retract(fork, 0, ACT_FLOAT32, NULL, TOKENS, 0) == ACT_INVALID_SHAPE);
    CHECK(act_trackers_load(fork, 0, NULL, bytes) == ACT_INVALID_SHAPE);
    CHECK(act_trackers_calibrate_row(fork, 0, 99, row, TOKENS, 0, NULL) == ACT_UNSUPPORTED);
    free(saved);

    visible.query_offset = TOKENS - 1;
    attention.visible = &visible;
    one.data = q + (TOKENS - 1) * CHANNELS;
    result.data = out + (TOKENS - 1) * CHANNELS;
    one.tokens = result.tokens = 1;
    memcpy(last, expected, sizeof last);
    memset(out, 0, sizeof out);
    CHECK(act_decoding_attention_workspace(&one, &tk, &tv, &result, &attention, NULL) > 0);
    CHECK(act_decoding_attention(&one, &tk, &tv, &result, all, trackers, &attention, NULL) == ACT_OK);
    for (i = 0; i < MAP; ++i) /* other rows weren't computed */
      if (i / TOKENS % TOKENS != TOKENS - 1) last[i] = 0;
    CHECK(largest_output_difference(last, out) < 1e-4);
    act_trackers_destroy(trackers);
    act_trackers_destroy(fork);
    options.redistribute = ACT_UNIFORM;
    CHECK(act_trackers_create(&options, 1, &trackers) == ACT_UNSUPPORTED);
    options.redistribute = ACT_PROPORTIONAL;
  }

  /* Every element type; the half types' bits here are float's upper ones. */
  {
    static double wide[MAP];
    static uint16_t half[MAP];
    act_map doubles = ACT_MAP_PACKED(ACT_FLOAT64, wide, 1, HEADS, TOKENS, TOKENS);
    act_map halves = ACT_MAP_PACKED(ACT_BFLOAT16, half, 1, HEADS, TOKENS, TOKENS);
    double worst = 0;
    memcpy(wide, plain, sizeof wide);
    CHECK(act_calibrate(&doubles, all, NULL, NULL, NULL) == ACT_OK);
    for (i = 0; i < MAP; ++i)
      worst = fmax(worst, fabs(wide[i] - expected[i]));
    CHECK(worst < 1e-13);
    for (i = 0; i < MAP; ++i) {
      uint32_t bits;
      memcpy(&bits, &raw[i], sizeof bits);
      half[i] = (uint16_t)(bits >> 16);
    }
    CHECK(act_calibrate(&halves, all, NULL, NULL, NULL) == ACT_OK);
    for (worst = 0, i = 0; i < MAP; ++i) {
      const uint32_t bits = (uint32_t)half[i] << 16;
      float value;
      memcpy(&value, &bits, sizeof value);
      worst = fmax(worst, fabs((double)value - expected[i]));
    }
    CHECK(worst < 0.02);
    halves.type = ACT_FLOAT16;
    CHECK(act_calibrate(&halves, all, NULL, NULL, NULL) == ACT_OK);
    halves.type = 17;
    CHECK(act_calibrate(&halves, all, NULL, NULL, NULL) == ACT_UNSUPPORTED);
    CHECK(strncmp(act_last_message(), "type: ", 6) == 0);
  }

  /* Ragged: the second of two entries has 20 rows from position 11. */
  {
    const size_t offsets[] = {0, 11}, rows[] = {40, 20};
    act_visibility visible = ACT_VISIBILITY_INIT;
    act_map ragged = ACT_MAP_PACKED(ACT_FLOAT32, map_of, 2, 1, 40, TOKENS);
    memcpy(map_of, raw, sizeof raw);
    visible.query_offsets = offsets;
    visible.query_counts = rows;
    ragged.visible = &visible;
    CHECK(act_calibrate(&ragged, all, NULL, NULL, NULL) == ACT_OK);
    CHECK(memcmp(map_of + 60 * TOKENS, raw + 60 * TOKENS, 20 * TOKENS * sizeof(float)) == 0); /* padding */
  }

  /* Rows that all see the same keys, padding behind them; and a caller from before there were such rows. */
  {
    enum { SEEN = TOKENS - 5 };
    act_visibility visible = ACT_VISIBILITY_INIT;
    act_map cross = ACT_MAP_PACKED(ACT_FLOAT32, map_of, 1, 1, TOKENS, TOKENS);
    static double row_sums[TOKENS];
    int is_sink[TOKENS], j;
    size_t found = 0;
    double worst = 0;
    for (i = 0; i < TOKENS; ++i) {
      row_sums[i] = 0;
      for (j = 0; j < TOKENS; ++j) {
        map_of[i * TOKENS + j] = (j % 31 == 7 ? 40.0f : 1.0f) * (1.5f + number());
        if (j < SEEN) row_sums[i] += (double)map_of[i * TOKENS + j];
      }
      for (j = 0; j < TOKENS; ++j)
        map_of[i * TOKENS + j] /= (float)row_sums[i];
    }
    for (j = 0; j < SEEN; ++j) {
      double sum = 0;
      for (i = 0; i < TOKENS; ++i)
        sum += (double)map_of[i * TOKENS + j];
      is_sink[j] = j > 0 && sum / TOKENS > 5.0 / SEEN;
      found += is_sink[j] ? 1u : 0u;
    }
    CHECK(found == 3);
    for (i = 0; i < TOKENS; ++i) {
      double on = 0, elsewhere = 0;
      for (j = 0; j < TOKENS; ++j)
        expected[i * TOKENS + j] = (double)map_of[i * TOKENS + j];
      for (j = 0; j < SEEN; ++j)
        *(is_sink[j] ? &on : &elsewhere) += expected[i * TOKENS + j];
      for (j = 0; j < SEEN; ++j)
        expected[i * TOKENS + j] *= is_sink[j] ? 0.4 : 1 + 0.6 * on / elsewhere;
    }
    visible.all_keys = SEEN;
    cross.visible = &visible;
    CHECK(act_calibrate(&cross, all, NULL, NULL, NULL) == ACT_OK);
    for (i = 0; i < TOKENS * TOKENS; ++i)
      worst = fmax(worst, fabs((double)map_of[i] - expected[i]));
    CHECK(worst < 1e-6);
    visible.window = 3;
    CHECK(act_calibrate(&cross, all, NULL, NULL, NULL) == ACT_INVALID_SHAPE);
    visible.window = 0;
    visible.size = offsetof(act_visibility, all_keys); /* compiled before: what lies behind isn't his */
    memcpy(map_of, raw, sizeof raw);
    CHECK(act_calibrate(&cross, all, NULL, NULL, NULL) == ACT_OK);
    memcpy(expected, plain, sizeof expected);
    calibrate_by_definition(expected);
    for (worst = 0, i = 0; i < TOKENS * TOKENS; ++i)
      worst = fmax(worst, fabs((double)map_of[i] - expected[i]));
    CHECK(worst < 1e-6);
  }

  /* Float queries and outputs over a cache of halves: what floats of the same values give. */
  {
    static uint16_t half_k[ROWS], half_v[ROWS];
    static float wide[ROWS];
    act_tensor hk = ACT_TENSOR_PACKED(ACT_BFLOAT16, half_k, 1, HEADS, TOKENS, CHANNELS);
    act_tensor hv = ACT_TENSOR_PACKED(ACT_BFLOAT16, half_v, 1, HEADS, TOKENS, CHANNELS);
    act_tensor wide_out = ACT_TENSOR_PACKED(ACT_FLOAT32, wide, 1, HEADS, TOKENS, CHANNELS);
    double worst = 0;
    for (i = 0; i < ROWS; ++i) {
      uint32_t bits;
      memcpy(&bits, &k[i], sizeof bits);
      half_k[i] = (uint16_t)(bits >> 16);
      bits &= 0xffff0000u;
      memcpy(&k[i], &bits, sizeof bits);
      memcpy(&bits, &v[i], sizeof bits);
      half_v[i] = (uint16_t)(bits >> 16);
      bits &= 0xffff0000u;
      memcpy(&v[i], &bits, sizeof bits);
    }
    CHECK(act_calibrated_attention(&tq, &tk, &tv, &wide_out, all, NULL, NULL, NULL, NULL, NULL) == ACT_OK);
    CHECK(act_calibrated_attention_workspace(&tq, &hk, &hv, &to, all, NULL, NULL, NULL) > 0);
    CHECK(act_calibrated_attention(&tq, &hk, &hv, &to, all, NULL, NULL, NULL, NULL, NULL) == ACT_OK);
    for (i = 0; i < ROWS; ++i)
      worst = fmax(worst, fabs((double)out[i] - (double)wide[i]));
    CHECK(worst < 1e-6);
    hk.type = hv.type = ACT_FLOAT16; /* other values by the same bits */
    CHECK(act_calibrated_attention(&tq, &hk, &hv, &to, all, NULL, NULL, NULL, NULL, NULL) == ACT_OK);
    hk.type = ACT_BFLOAT16;
    CHECK(act_calibrated_attention(&tq, &hk, &hv, &to, all, NULL, NULL, NULL, NULL, NULL) == ACT_UNSUPPORTED);
  }

  /* What is refused, and callers of other versions. */
  {
    struct newer_options newer;
    memcpy(map_of, raw, sizeof raw);
    CHECK(act_calibrate(NULL, all, NULL, NULL, NULL) == ACT_INVALID_SHAPE);
    CHECK(act_calibrate(&map, NULL, NULL, NULL, NULL) == ACT_INVALID_SHAPE);
    options.beta = 7;
    CHECK(act_calibrate(&map, all, &options, NULL, NULL) == ACT_INVALID_OPTION);
    CHECK(strncmp(act_last_message(), "beta: must be between 0 and 1", 29) == 0);
    options.beta = 0.4;
    options.size = 0;
    CHECK(act_calibrate(&map, all, &options, NULL, NULL) == ACT_INVALID_OPTION);
    options.size = sizeof options;
    newer.known = options;
    newer.known.size = sizeof newer;
    newer.unknown = 1;
    CHECK(act_calibrate(&map, all, &newer.known, NULL, NULL) == ACT_UNSUPPORTED);
    CHECK(memcmp(map_of, raw, sizeof raw) == 0);
    newer.unknown = 0;
    CHECK(act_calibrate(&map, all, &newer.known, NULL, NULL) == ACT_OK);
    memcpy(map_of, raw, sizeof raw);
    options.position_limit = 1; /* no sinks */
    CHECK(act_calibrate(&map, all, &options, NULL, NULL) == ACT_OK);
    CHECK(memcmp(map_of, raw, sizeof raw) == 0);
    options.size = offsetof(act_options, position_limit); /* an older caller, behind whose members anything lies */
    CHECK(act_calibrate(&map, all, &options, NULL, NULL) == ACT_OK);
    CHECK(memcmp(map_of, raw, sizeof raw) != 0);
    tk.type = ACT_FLOAT64;
    CHECK(act_calibrated_attention(&tq, &tk, &tv, &to, all, NULL, NULL, NULL, NULL, NULL) == ACT_UNSUPPORTED);
  }
  for (i = 0; i < 10; ++i)
    CHECK(act_status_message(i)[0] != '\0');
  act_heads_destroy(chosen);
  act_heads_destroy(all);
  act_heads_destroy(NULL);
  act_trackers_destroy(NULL);
  if (failures == 0) printf("all as it should be\n");
  return failures == 0 ? 0 : 1;
}
