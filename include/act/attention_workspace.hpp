// Scratch memory of the forms that begin at queries and keys, kept from call to call.
#pragma once

#include <act/calibration_workspace.hpp>
#include <act/version.hpp>

namespace act::inline ACT_ABI {

/// Scratch memory of calibrated_attention, correct_output, decoding_attention and attention_weights: it grows
/// to the largest call seen and stays. `A` is float, or double for double inputs.
template <class A>
class attention_workspace : public calibration_workspace {};

}  // namespace act::inline ACT_ABI
