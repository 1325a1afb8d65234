// The body of every unit: the same source, compiled once for each instruction set. act takes the set from the
// compiler's flags: it is the last template parameter of what computes, so units share none of these
// functions.
#pragma once

#include <act/calibrate.hpp>

#include <cstddef>
#include <vector>

#include "kernels.hpp"

namespace {

std::size_t calibrate_here(float* weights, std::size_t heads, std::size_t tokens, const std::size_t* chosen,
                           std::size_t chosen_count) {
  act::set_thread_count(1);  // an engine wouldn't: here the times should compare kernels, not waits for cores
  const auto map = act::attention_span<float>::packed(weights, 1, heads, tokens, tokens);
  std::size_t sinks = 0;
  for (const act::head_report& head :
       act::calibrate(map, act::layer_heads(std::vector<std::size_t>(chosen, chosen + chosen_count))).heads)
    sinks += head.sinks.size();
  return sinks;
}

}  // namespace
