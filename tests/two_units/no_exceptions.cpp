// Built with -fno-exceptions -fno-rtti: what is right works, and a refusal ends as act/error.hpp says.
//   no_exceptions good | bad
#include <act/act.hpp>

#include <cstdio>
#include <cstring>
#include <vector>

int main(int argc, char** argv) {
  const std::size_t tokens = 40;
  std::vector<float> weights(tokens * tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      weights[i * tokens + j] = j == 4 ? 0.5F : 0.5F / static_cast<float>(i + 1);
  }
  const auto map = act::attention_span<float>::packed(weights.data(), 1, 1, tokens, tokens);
  const bool bad = argc == 2 && std::strcmp(argv[1], "bad") == 0;
  const act::calibration_report report = act::calibrate(map, {bad ? 1U : 0U});
  std::printf("%zu head, %zu sink\n", report.heads.size(), report.heads[0].sinks.size());
  return report.heads[0].sinks.size() == 1 && report.heads[0].sinks[0].position == 4 ? 0 : 1;
}
