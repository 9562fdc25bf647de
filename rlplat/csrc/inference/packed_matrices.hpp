// The right factors of matrix products.
#pragma once

#include <cstddef>

#include "inference/buffer.hpp"
#include "inference/kernels.hpp"

namespace rlplat {

// The right factors of products, `count` of them with `inner` x `columns` floats each, one after another as the kernels
// read them. `columns` is a multiple of the kernels' lanes.
class PackedMatrices {
 public:
  PackedMatrices(int count, int inner, int columns, const Kernels& kernels)
      : inner_(inner),
        columns_(columns),
        block_(2 * kernels.lanes),
        values_(static_cast<std::size_t>(count) * inner * columns) {}

  int inner() const { return inner_; }
  int columns() const { return columns_; }
  const float* data() const { return values_.data(); }

  float& at(int index, int row, int column) {
    const int begin = column / block_ * block_;
    const int width = columns_ - begin < block_ ? columns_ - begin : block_;
    const std::size_t rows_before = static_cast<std::size_t>(index) * columns_ + begin;
    return values_.data()[rows_before * inner_ + static_cast<std::size_t>(row) * width + column - begin];
  }

 private:
  int inner_, columns_;
  int block_;  // columns that lie together
  Buffer values_;
};

}  // namespace rlplat
