#include "inference/vector.hpp"

namespace rlplat {
namespace {

// Rows that are computed together: their sums and a row of b fill the sixteen registers of AVX2.
constexpr int kRows = 6;

// Loops are unrolled before the compiler chooses registers, or else the sums go through memory.
template <int Rows, int Vectors>
void multiply_tile(int inner, const float* a, const float* b, float* c, int c_stride) {
  Vector sums[Rows][Vectors];
#pragma GCC unroll 6
  for (auto& row : sums)
#pragma GCC unroll 2
    for (Vector& sum : row) sum = Vector{};
  for (int k = 0; k < inner; ++k, b += Vectors * kLanes) {
    Vector row[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) row[v] = load(b + v * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sums[r][v] += a[r * inner + k] * row[v];
  }
#pragma GCC unroll 6
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) store(c + r * c_stride + v * kLanes, sums[r][v]);
}

template <int Vectors>
void multiply_block(int rows, int inner, const float* a, const float* b, float* c, int c_stride) {
  for (; rows >= kRows; rows -= kRows, a += kRows * inner, c += kRows * c_stride)
    multiply_tile<kRows, Vectors>(inner, a, b, c, c_stride);
  switch (rows) {
    case 5:
      return multiply_tile<5, Vectors>(inner, a, b, c, c_stride);
    case 4:
      return multiply_tile<4, Vectors>(inner, a, b, c, c_stride);
    case 3:
      return multiply_tile<3, Vectors>(inner, a, b, c, c_stride);
    case 2:
      return multiply_tile<2, Vectors>(inner, a, b, c, c_stride);
    case 1:
      return multiply_tile<1, Vectors>(inner, a, b, c, c_stride);
    default:
      return;
  }
}

}  // namespace

void PackedMatrices::multiply(int index, int rows, const float* a, float* c) const {
  const float* block = values_.data() + static_cast<std::size_t>(index) * inner_ * columns_;
  int column = 0;
  for (; column + kBlock <= columns_; column += kBlock, block += inner_ * kBlock)
    multiply_block<2>(rows, inner_, a, block, c + column, columns_);
  if (column < columns_) multiply_block<1>(rows, inner_, a, block, c + column, columns_);
}

}  // namespace rlplat
