#pragma once

#include <act/attention_view.hpp>
#include <act/attention_workspace.hpp>
#include <act/calibration_report.hpp>
#include <act/half.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/sink_tracker.hpp>

#include <span>

/// The core's attention for the types that the runtime has: compiled once, in one source. Parameters, errors
/// and costs are those of the core's functions. Under the address sanitizer that source isn't instrumented:
/// the core's own tests watch each of its accesses, twenty times as slowly; here each tensor is looked at
/// whole before the core gets it, and one that reaches out of its memory ends the program with where it lies.
namespace act::runtime {

/// calibrated_attention of float32 queries.
/// @tparam K element type of keys and values: float, or float16 as a cache keeps them
/// @param q,k,v,out,heads,calibration,options,workspace,report,plain,sums as calibrated_attention's
template <class K>
void core_attention(const head_tensor<const float>& q, const head_tensor<const K>& k,
                    const head_tensor<const K>& v, const head_tensor<float>& out, const layer_heads& heads,
                    const calibration_options& calibration, const attention_options& options,
                    attention_workspace<float>& workspace, calibration_report& report,
                    const head_tensor<float>& plain = {}, std::span<double> sums = {});

/// decoding_attention, likewise.
/// @tparam K element type of keys and values: float or float16
/// @param q,k,v,out,heads,trackers,options,workspace as decoding_attention's
template <class K>
void core_decoding_attention(const head_tensor<const float>& q, const head_tensor<const K>& k,
                             const head_tensor<const K>& v, const head_tensor<float>& out,
                             const layer_heads& heads, std::span<sink_tracker> trackers,
                             const attention_options& options, attention_workspace<float>& workspace);

/// attention_weights, likewise.
/// @param q,k,map,options,workspace as attention_weights'
void core_attention_weights(const head_tensor<const float>& q, const head_tensor<const float>& k,
                            const attention_span<float>& map, const attention_options& options,
                            attention_workspace<float>& workspace);

}  // namespace act::runtime
