/* The hook for llama.cpp as C functions, for ctypes and other foreign interfaces: no exceptions pass, every
 * failure is a line of text. A hook belongs to one context and the thread that runs it. */
#ifndef ACT_LLAMA_H
#define ACT_LLAMA_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ggml_tensor;
struct act_llama_hook;

/* A head of the model, and how it is calibrated: the members of a heads file's options. */
struct act_llama_head {
  size_t layer, head;
  int rule;              /* 0 relative, 1 absolute, 2 baseline-corrected */
  double alpha, tau;     /* over 0; 0 .. 1 */
  size_t min_visible_rows;
  int renormalises;      /* 0: sinks keep beta; 1: their weights go times factor, rows keep their mass */
  double beta, factor;
};

/* Returns a hook, or null with the reason in `error`. */
struct act_llama_hook* act_llama_new(const struct act_llama_head* heads, size_t count, char* error, size_t room);
void act_llama_delete(struct act_llama_hook* hook);

/* llama_context_params.cb_eval; cb_eval_user_data is the hook. */
bool act_llama_evaluate(struct ggml_tensor* node, bool ask, void* hook);

/* After each llama_decode: 0, or 1 with what went wrong in `error`, nothing calibrated included. */
int act_llama_check(struct act_llama_hook* hook, char* error, size_t room);

/* After a state was loaded into the cache. */
void act_llama_forget(struct act_llama_hook* hook);

/* The sinks of the last map's sequences, one entry after another: stream, sequence, layer, head, how many, their
 * tokens. Returns how many numbers that is; writes them where `room` is no less. */
size_t act_llama_sinks(const struct act_llama_hook* hook, size_t* numbers, size_t room);

/* Sequences taken on without their earlier rows; tokens taken back. */
size_t act_llama_joined(const struct act_llama_hook* hook);
size_t act_llama_taken_back(const struct act_llama_hook* hook);

#ifdef __cplusplus
}
#endif

#endif
