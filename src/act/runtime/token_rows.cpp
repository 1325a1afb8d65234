#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/token_rows.hpp>

#include <cstddef>
#include <span>

namespace act::runtime {

void token_rows::copy_row(std::size_t token, std::span<float> out) const noexcept {
  dequantize_rows(stored_, token, out);
}

}  // namespace act::runtime
