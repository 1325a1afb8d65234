// Umbrella of the core: calibration of attention maps. Only includes.
#pragma once

#include <act/attention_view.hpp>
#include <act/attention_weights.hpp>
#include <act/attention_workspace.hpp>
#include <act/calibrate.hpp>
#include <act/calibrate_cells.hpp>
#include <act/calibrate_row.hpp>
#include <act/calibrated_attention.hpp>
#include <act/calibration_report.hpp>
#include <act/calibration_workspace.hpp>
#include <act/call_context.hpp>
#include <act/cell_sequence.hpp>
#include <act/column_scores.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/executor.hpp>
#include <act/half.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/logit_bias.hpp>
#include <act/options.hpp>
#include <act/parallel.hpp>
#include <act/simd.hpp>
#include <act/sink.hpp>
#include <act/sink_tracker.hpp>
#include <act/sinks.hpp>
#include <act/status.hpp>
#include <act/version.hpp>

/// @mainpage act: attention calibration
/// Every public header has a page under Files, every name under Namespaces. docs/core.md says what
/// calibration does and which header to include, docs/guide.md has code for what an engine has.

/// @namespace act
/// Attention calibration: everything that the core's headers give. Units compiled with different flags may
/// pass its plain data to each other.

/// @namespace act::simd
/// Instruction sets, as the last template parameter of calls.
