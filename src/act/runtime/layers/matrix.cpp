#include <act/runtime/layers/matrix.hpp>

#include <cstddef>

namespace act::runtime {

matrix rows_at(const matrix& from, std::span<const std::uint32_t> rows) {
  matrix gathered(index(rows.size()), from.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    gathered.row(index(i)) = from.row(index(rows[i]));
  return gathered;
}

}  // namespace act::runtime
