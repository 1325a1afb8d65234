/* What a stranger's C program needs of libact: the header, a map, an answer. */
#include <act/c.h>

#include <math.h>
#include <stdio.h>

int main(void) {
  enum { tokens = 20 };
  static float weights[tokens * tokens];
  act_map map = ACT_MAP_PACKED(ACT_FLOAT32, weights, 1, 1, tokens, tokens);
  act_heads* heads = NULL;
  int i, j, right;
  for (i = 0; i < tokens; ++i) {
    for (j = 0; j <= i; ++j)
      weights[i * tokens + j] = j == 4 && i > 4 ? 0.5f : (i > 4 ? 0.5f : 1.0f) / (float)(i > 4 ? i : i + 1);
  }
  right = act_heads_create_all(&heads) == ACT_OK && act_calibrate(&map, heads, NULL, NULL, NULL) == ACT_OK &&
          fabsf(weights[19 * tokens + 4] - 0.2f) < 1e-6f;
  act_heads_destroy(heads);
  printf("libact %s: %s\n", act_version(), right ? "calibrated" : "wrong");
  return right ? 0 : 1;
}
