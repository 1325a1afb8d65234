// A short name for a model's weights: tells whether a heads file belongs to the checkpoint that is loaded.
#pragma once

#include <act/io/sha256.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/model_identity.hpp>

#include <string>

namespace act::runtime {

/// SHA-256 over the configuration and evenly spread values of every weight matrix and norm, as 64 hexadecimal
/// digits. Depends on the weights as they are computed with: another quantisation is another fingerprint. A
/// few milliseconds.
[[nodiscard]] std::string fingerprint(const model& of);

/// What a heads file says of this model.
[[nodiscard]] model_identity identity_of(const model& loaded);

}  // namespace act::runtime
