// The same work, compiled in translation units with different -m flags.
#pragma once

#include <string>
#include <vector>

std::vector<float> calibrated_by_baseline(unsigned seed);
std::vector<float> calibrated_by_avx2(unsigned seed);
std::vector<float> calibrated_by_avx512(unsigned seed);
std::string baseline_arch();
std::string avx2_arch();
std::string avx512_arch();
