// Compiled once for each width of registers. Nothing of the standard library's code may be used here: the linker could
// take its one copy from the file for processors that not everybody has.
#include "inference/kernels.hpp"

#include "inference/filtering.hpp"
#include "inference/vector.hpp"

#ifndef RLPLAT_KERNELS
#define RLPLAT_KERNELS narrow_kernels
#endif

namespace rlplat {
namespace {

// NaN stays NaN.
Vector relu(Vector x) { return x < 0.0f ? Vector{} : x; }

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

void multiply(int rows, int inner, int columns, const float* a, const float* b, float* c) {
  constexpr int kBlock = 2 * kLanes;
  int column = 0;
  for (; column + kBlock <= columns; column += kBlock, b += inner * kBlock)
    multiply_block<2>(rows, inner, a, b, c + column, columns);
  if (column < columns) multiply_block<1>(rows, inner, a, b, c + column, columns);
}

void add_bias(int rows, int columns, const float* bias, bool rectified, float* x) {
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; column += kLanes, x += kLanes) {
      const Vector sum = load(x) + load(bias + column);
      store(x, rectified ? relu(sum) : sum);
    }
}

template <int Vertical, int Horizontal>
void convolve_tiled(const ConvolutionTask& task) {
  constexpr int kDown = Vertical + 2, kAcross = Horizontal + 2, kProducts = kDown * kAcross;
  const Layout &from = task.from, &to = task.to;
  const int inputs = from.channels, outputs = to.channels;
  const int bottom = task.vertical.count * Vertical, right = task.horizontal.count * Horizontal;
  const int tiles = task.boards * task.vertical.count * task.horizontal.count;
  const std::size_t factor_stride = static_cast<std::size_t>(tiles) * inputs;
  const std::size_t sum_stride = static_cast<std::size_t>(tiles) * outputs;
  float* const factors = task.scratch;
  float* const sums = task.scratch + kProducts * factor_stride;

  float* tile = factors;
  for (int board = 0; board < task.boards; ++board)
    for (int y = 0; y < bottom; y += Vertical)
      for (int x = 0; x < right; x += Horizontal, tile += inputs) {
        const float* corner = task.input + static_cast<std::size_t>(board * from.board + y * from.row + x) * inputs;
        for (int channel = 0; channel < inputs; channel += kLanes) {
          Vector between[kDown][kAcross];
#pragma GCC unroll 6
          for (int j = 0; j < kAcross; ++j) {
            Vector column[kDown], down[kDown];
#pragma GCC unroll 6
            for (int i = 0; i < kDown; ++i) column[i] = load(corner + (i * from.row + j) * inputs + channel);
            Filtering<Vertical>::input(column, down);
#pragma GCC unroll 6
            for (int i = 0; i < kDown; ++i) between[i][j] = down[i];
          }
#pragma GCC unroll 6
          for (int i = 0; i < kDown; ++i) {
            Vector across[kAcross];
            Filtering<Horizontal>::input(between[i], across);
#pragma GCC unroll 6
            for (int j = 0; j < kAcross; ++j) store(tile + (i * kAcross + j) * factor_stride + channel, across[j]);
          }
        }
      }

  for (int product = 0; product < kProducts; ++product)
    multiply(tiles, inputs, outputs, factors + product * factor_stride,
             task.filters + static_cast<std::size_t>(product) * inputs * outputs, sums + product * sum_stride);

  tile = sums;
  for (int board = 0; board < task.boards; ++board)
    for (int y = 0; y < bottom; y += Vertical)
      for (int x = 0; x < right; x += Horizontal, tile += outputs) {
        const std::size_t corner = static_cast<std::size_t>(to.first + board * to.board + y * to.row + x) * outputs;
        for (int channel = 0; channel < outputs; channel += kLanes) {
          Vector between[Vertical][kAcross], cells[Vertical][Horizontal];
#pragma GCC unroll 6
          for (int j = 0; j < kAcross; ++j) {
            Vector column[kDown], down[Vertical];
#pragma GCC unroll 6
            for (int i = 0; i < kDown; ++i) column[i] = load(tile + (i * kAcross + j) * sum_stride + channel);
            Filtering<Vertical>::output(column, down);
#pragma GCC unroll 4
            for (int i = 0; i < Vertical; ++i) between[i][j] = down[i];
          }
#pragma GCC unroll 4
          for (int i = 0; i < Vertical; ++i) Filtering<Horizontal>::output(between[i], cells[i]);
          const Vector bias = load(task.bias + channel);
          for (int i = 0; i < Vertical && y + i < task.height; ++i)
            for (int j = 0; j < Horizontal && x + j < task.width; ++j) {
              const std::size_t at = corner + static_cast<std::size_t>(i * to.row + j) * outputs + channel;
              Vector cell = cells[i][j] + bias;
              if (task.residual) cell += load(task.residual + at);
              store(task.output + at, relu(cell));
            }
        }
      }
}

template <int Vertical>
void convolve_rows(const ConvolutionTask& task) {
  switch (task.horizontal.outputs) {
    case 2:
      return convolve_tiled<Vertical, 2>(task);
    case 3:
      return convolve_tiled<Vertical, 3>(task);
    default:
      return convolve_tiled<Vertical, 4>(task);
  }
}

void convolve(const ConvolutionTask& task) {
  switch (task.vertical.outputs) {
    case 2:
      return convolve_rows<2>(task);
    case 3:
      return convolve_rows<3>(task);
    default:
      return convolve_rows<4>(task);
  }
}

}  // namespace

const Kernels RLPLAT_KERNELS{kLanes, multiply, add_bias, convolve};

}  // namespace rlplat
