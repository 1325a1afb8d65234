/* Attention calibration for C and every language that calls C: the shared library libact. docs/c.md is the guide.
 *
 *   #include <act/c.h>          cc program.c $(pkg-config --cflags --libs act-c)
 *
 *   act_map map = ACT_MAP_PACKED(ACT_FLOAT32, weights, batches, heads, tokens, tokens);
 *   act_status done = act_calibrate(&map, chosen, NULL, NULL, NULL);
 *   if (done != ACT_OK) fprintf(stderr, "%s\n", act_last_message());
 *
 * What calls do, and what they promise, docs/core.md says: these are the same calls. Which instruction set works is
 * chosen when the library is first used (act_instruction_set()).
 *
 * The interface is stable: symbols are versioned (ACT_1.0), a structure begins with its size as the caller was
 * compiled (`size`, which the initialisers set), members are only ever added at its end, and a library takes what an
 * older caller doesn't know as its default. A structure of a newer caller than the library is refused
 * (ACT_UNSUPPORTED) where it says something that the library doesn't know. Handles are opaque.
 *
 * Threads: calls on different data may run at the same time. Objects that a call writes belong to one call at a time;
 * an act_heads may be shared. */
#ifndef ACT_C_H
#define ACT_C_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define ACT_C_API
#else
#define ACT_C_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* How a call went. Any answer but ACT_OK: nothing was written. */
typedef int32_t act_status;
enum {
  ACT_OK = 0,
  ACT_INVALID_SHAPE = 1,       /* an extent or stride doesn't fit the others, or a pointer is null */
  ACT_INVALID_OPTION = 2,      /* an option is off range, or contradicts another */
  ACT_UNSUPPORTED = 3,         /* well-formed, but not a thing that this call or this library does */
  ACT_WORKSPACE_TOO_SMALL = 4, /* fewer bytes than the size query asks for, or not aligned to 16 */
  ACT_OUT_OF_MEMORY = 6,       /* only where the library takes memory itself */
  ACT_INVALID_INPUT = 7        /* act_trackers_load(): bytes that aren't a state */
};

/* One line of static text for a status. */
ACT_C_API const char* act_status_message(act_status status);
/* What the calling thread's last call that was refused had to say: the member that is wrong, and how to mend it.
 * Valid until the thread's next call; empty when none was refused. */
ACT_C_API const char* act_last_message(void);
/* "0.3.0", say. */
ACT_C_API const char* act_version(void);
/* "baseline", "avx2" or "avx512": what the kernels here are compiled for. */
ACT_C_API const char* act_instruction_set(void);
/* Limits the library's own threads; 0: the default. See act_executor for an engine's. */
ACT_C_API void act_set_thread_count(size_t count);

/* Element types. Sums are float or better; ACT_FLOAT64 computes in double. */
typedef int32_t act_type;
enum { ACT_FLOAT32 = 0, ACT_FLOAT64 = 1, ACT_FLOAT16 = 2, ACT_BFLOAT16 = 3 };

/* Which keys a row sees: row i stands at position query_offset + i and sees the keys first_key .. that position, with
 * a window only the last `window` of them. With all_keys, or key_counts, nothing is causal (encoders, vision, cross
 * attention): every row sees the keys first_key .. all_keys - 1; no window, slopes or trackers then. Lists have an entry
 * for each batch entry, or are NULL. */
typedef struct act_visibility {
  size_t size;
  size_t query_offset;         /* position of the first row */
  size_t window;               /* sliding window in keys; 0: none */
  const size_t* first_key;     /* keys of left padding */
  const size_t* query_offsets; /* ragged batches: instead of query_offset, which stays 0 */
  const size_t* query_counts;  /* ragged batches: real rows, the first ones */
  size_t all_keys;             /* not causal: every row sees the keys before this one; 0: causal */
  const size_t* key_counts;    /* not causal, ragged: instead of all_keys, which stays 0 */
} act_visibility;
#define ACT_VISIBILITY_INIT { sizeof(act_visibility), 0, 0, NULL, NULL, NULL, 0, NULL }

/* Softmaxed weights [batch, head, query, key]; keys contiguous, strides in elements. */
typedef struct act_map {
  size_t size;
  void* data;
  act_type type;
  size_t batches, heads, queries, keys;
  size_t batch_stride, head_stride, query_stride;
  const act_visibility* visible; /* NULL: causal, from position 0 */
} act_map;
#define ACT_MAP_PACKED(type, data, batches, heads, queries, keys)                                                \
  {                                                                                                              \
    sizeof(act_map), (data), (type), (batches), (heads), (queries), (keys), (heads) * (queries) * (keys),        \
        (queries) * (keys), (keys), NULL                                                                         \
  }

/* Queries, keys, values or outputs [batch, head, token, channel]; channels contiguous, strides in elements. */
typedef struct act_tensor {
  size_t size;
  void* data; /* of inputs only read */
  act_type type;
  size_t batches, heads, tokens, channels;
  size_t batch_stride, head_stride, token_stride;
} act_tensor;
#define ACT_TENSOR_PACKED(type, data, batches, heads, tokens, channels)                                          \
  {                                                                                                              \
    sizeof(act_tensor), (data), (type), (batches), (heads), (tokens), (channels), (heads) * (tokens) * (channels), \
        (tokens) * (channels), (channels)                                                                        \
  }

/* What a sink is, and what happens to it; docs/core.md. NULL in a call: the paper's, which ACT_OPTIONS_INIT sets. */
enum { ACT_RULE_RELATIVE = 0, ACT_RULE_ABSOLUTE = 1, ACT_RULE_BASELINE_CORRECTED = 2 };
enum {
  ACT_PROPORTIONAL = 0,
  ACT_UNIFORM = 1,
  ACT_SUBSET = 2,
  ACT_INVERSE = 3,
  ACT_TEMPERATURE = 4,
  ACT_RENORMALISED = 5
};
enum { ACT_COLUMNS_SINKS = 0, ACT_COLUMNS_INITIAL_TOKEN = 1, ACT_COLUMNS_SPAN = 2 };
typedef struct act_options {
  size_t size;
  int32_t rule;         /* ACT_RULE_... */
  int32_t redistribute; /* ACT_PROPORTIONAL ... */
  int32_t columns;      /* ACT_COLUMNS_... */
  int32_t authors;      /* 1: the published code's behaviour where it differs from the paper's */
  double alpha;         /* relative rule: over alpha / N; > 0 */
  double tau;           /* absolute rule: over tau; 0 .. 1 */
  size_t min_visible_rows;
  double beta;   /* what a sink keeps; 0 .. 1 */
  double theta;  /* ACT_TEMPERATURE's */
  double factor; /* ACT_RENORMALISED's */
  const size_t* subset;
  size_t subset_count; /* ACT_SUBSET's positions, ascending */
  const size_t* span;
  size_t span_count; /* ACT_COLUMNS_SPAN's positions, ascending */
  const double* strengths;
  size_t strength_count; /* a beta, or factor, for each head; or none */
  size_t position_limit; /* keys at this position and behind it are never sinks; 0: no limit */
} act_options;
#define ACT_OPTIONS_INIT                                                                                         \
  { sizeof(act_options), 0, 0, 0, 0, 5.0, 0.1, 1, 0.4, 1.1, 1.0, NULL, 0, NULL, 0, NULL, 0, 0 }

/* What attention itself is told: scores are scale * q . k, then capped, then biased. NULL in a call: the defaults. */
typedef struct act_attention {
  size_t size;
  double scale;             /* 0: 1 / sqrt(channels of q) */
  double soft_cap;          /* 0: none */
  const float* slopes;      /* ALiBi, one a head; or NULL */
  const float* sink_logits; /* learned sinks, one a head; or NULL */
  const act_visibility* visible;
  size_t kept_weights; /* bytes of one head's weights that a thread may keep */
} act_attention;
#define ACT_ATTENTION_INIT { sizeof(act_attention), 0.0, 0.0, NULL, NULL, NULL, (size_t)5 << 19 }

/* An engine's own threads. run(pool, count, each, of) does each(of, 0) .. each(of, count - 1), each once, on any
 * threads, and returns when all are done; count is at most `workers`. */
typedef struct act_executor {
  size_t size;
  size_t workers;
  void* pool;
  void (*run)(void* pool, size_t count, void (*each)(void* of, size_t number), void* of);
} act_executor;
#define ACT_EXECUTOR_INIT { sizeof(act_executor), 0, NULL, NULL }

/* Memory, threads and report of one call. NULL in a call: the library's own memory and threads, no report. Reports are
 * of chosen heads only; entries of others stay as they are. NULL members: not wanted. */
typedef struct act_context {
  size_t size;
  void* workspace; /* aligned to 16; NULL: the library takes memory, and gives it back */
  size_t workspace_bytes;
  const act_executor* executor;
  double* scores;         /* [batch, head, keys] column scores */
  size_t* sink_counts;    /* [batch, head] */
  size_t* sink_positions; /* [batch, head, keys], the first sink_counts of them, ascending */
  double* moved_mass;     /* [batch, head] */
} act_context;
#define ACT_CONTEXT_INIT { sizeof(act_context), NULL, 0, NULL, NULL, NULL, NULL, NULL }

/* Heads of one layer: made once for a model. Numbers from 0, in any order. */
typedef struct act_heads act_heads;
ACT_C_API act_status act_heads_create(const size_t* heads, size_t count, act_heads** made);
ACT_C_API act_status act_heads_create_all(act_heads** made); /* however many the layer has */
ACT_C_API void act_heads_destroy(act_heads* heads);           /* NULL is fine */

/* Calibrates the chosen heads of a map in place. carried_sums [batch, head, keys]: raw column sums of a prompt's
 * earlier chunks, which this chunk's are added to; NULL: a whole prompt. */
ACT_C_API act_status act_calibrate(const act_map* map, const act_heads* heads, const act_options* options,
                                   const act_context* context, double* carried_sums);
/* Bytes of workspace; 0 where the call would be refused. */
ACT_C_API size_t act_calibrate_workspace(const act_map* map, const act_heads* heads, const act_options* options);

/* out = attention of q [B, H, queries, d] over k [B, G, keys, d] and v [B, G, keys, e], chosen heads calibrated. All of one
 * type, or q, out and plain ACT_FLOAT32 over k and v of ACT_FLOAT16 or ACT_BFLOAT16, here and in the calls below.
 * plain: gets the uncalibrated outputs; or NULL. */
ACT_C_API act_status act_calibrated_attention(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                              const act_tensor* out, const act_heads* heads,
                                              const act_options* options, const act_attention* attention,
                                              const act_context* context, const act_tensor* plain,
                                              double* carried_sums);
ACT_C_API size_t act_calibrated_attention_workspace(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                                    const act_tensor* out, const act_heads* heads,
                                                    const act_options* options, const act_attention* attention,
                                                    const act_executor* executor);

/* Calibrates outputs of a kernel in place, from each row's log-sum-exp [batch, head, query]: floats, doubles with
 * ACT_FLOAT64. scores [batch, head, keys]: column scores where the kernel has them; or NULL. */
ACT_C_API act_status act_correct_output(const act_tensor* out, const void* log_sum_exp, const act_tensor* q,
                                        const act_tensor* k, const act_tensor* v, const act_heads* heads,
                                        const act_options* options, const act_attention* attention,
                                        const act_context* context, const double* scores, double* carried_sums);
ACT_C_API size_t act_correct_output_workspace(const act_tensor* out, const act_tensor* q, const act_tensor* k,
                                              const act_tensor* v, const act_heads* heads, const act_options* options,
                                              const act_attention* attention, const act_executor* executor);

/* Trackers of heads that decode, [batch, head] in act_decoding_attention. */
typedef struct act_trackers act_trackers;
ACT_C_API act_status act_trackers_create(const act_options* options, size_t count, act_trackers** made);
ACT_C_API act_status act_trackers_copy(const act_trackers* from, act_trackers** made); /* a fork: beams */
ACT_C_API void act_trackers_destroy(act_trackers* trackers);                             /* NULL is fine */
/* Room for so many keys in each: until they are there, steps take no memory. */
ACT_C_API act_status act_trackers_reserve(act_trackers* trackers, size_t keys);
/* Begins one after a prompt: its raw column sums (carried_sums of a call), one for each key up to the last row's own,
 * over `queries` rows that saw what `visible` (or NULL) says for batch entry `batch` of `batches`. */
ACT_C_API act_status act_trackers_start(act_trackers* trackers, size_t number, const double* sums, size_t keys,
                                        const act_visibility* visible, size_t batches, size_t batch,
                                        size_t queries);
/* One step: takes the raw row in and calibrates it in place. It sees the keys [seen_begin, keys). moved_mass may be
 * NULL. */
ACT_C_API act_status act_trackers_calibrate_row(act_trackers* trackers, size_t number, act_type type, void* row,
                                                size_t keys, size_t seen_begin, double* moved_mass);
/* Takes the last step back: `row` is its raw row. */
ACT_C_API act_status act_trackers_retract(act_trackers* trackers, size_t number, act_type type, const void* row,
                                          size_t keys, size_t seen_begin);
/* Slots [begin, end) leave the cache of every tracker that has so many. */
ACT_C_API act_status act_trackers_evict(act_trackers* trackers, size_t number, size_t begin, size_t end);
ACT_C_API size_t act_trackers_keys(const act_trackers* trackers, size_t number);
/* How many sinks there are; the first `room` of them go to positions. */
ACT_C_API size_t act_trackers_sinks(const act_trackers* trackers, size_t number, size_t* positions, size_t room);
/* Column score of a slot; 0 where it isn't tracked. */
ACT_C_API double act_trackers_score(const act_trackers* trackers, size_t number, size_t slot);
/* How many bytes a state takes; it is written where `room` is enough. */
ACT_C_API size_t act_trackers_save(const act_trackers* trackers, size_t number, void* bytes, size_t room);
ACT_C_API act_status act_trackers_load(act_trackers* trackers, size_t number, const void* bytes, size_t count);

/* One decoding step over a cache: rows of chosen heads are calibrated by their trackers. */
ACT_C_API act_status act_decoding_attention(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                            const act_tensor* out, const act_heads* heads, act_trackers* trackers,
                                            const act_attention* attention, const act_context* context);
ACT_C_API size_t act_decoding_attention_workspace(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                                  const act_tensor* out, const act_attention* attention,
                                                  const act_executor* executor);

#ifdef __cplusplus
}
#endif
#endif
