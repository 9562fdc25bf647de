// The arithmetic of the network, in the widest registers that the processor has. Arrays hold floats; channels and
// columns are padded with zeros to multiples of `lanes`.
#pragma once

#include <cstddef>

namespace rlplat {

// How a side of the board is cut into tiles of `outputs` cells.
struct Tiling {
  int outputs;
  int count;
  // The tiling with the fewest products for a side of `length` cells.
  static Tiling of(int length);
};

// Where the cells of boards lie, each with `channels` floats: inside a border of zeros that tiles may read.
struct Layout {
  int channels;
  int row;    // cells from one row to the next
  int board;  // cells from one board to the next
  int first;  // cells before the first cell of a board
};

// output = relu(convolution(input) + bias + residual) on every cell, by Winograd's filtering.
struct ConvolutionTask {
  int boards, height, width;
  Tiling vertical, horizontal;
  Layout from, to;
  const float* filters;  // transformed, one matrix for each product of a tile, as `multiply` reads them
  const float* bias;     // one for each output
  const float* input;
  float* scratch;         // products of a tile * tiles * (inputs + outputs)
  const float* residual;  // may be the output; null: none
  float* output;
};

struct Kernels {
  int lanes;  // floats in a register

  // c = a b for `rows` x inner floats a and `rows` x columns floats c. b has `inner` x columns floats, in blocks of two
  // registers of columns, each block row by row. The sum of an element runs over the inner index in order, so a row's
  // result does not depend on the rows beside it.
  void (*multiply)(int rows, int inner, int columns, const float* a, const float* b, float* c);

  // Each of `rows` x columns floats x becomes x + bias, or relu(x + bias). NaN stays NaN.
  void (*add_bias)(int rows, int columns, const float* bias, bool rectified, float* x);

  void (*convolve)(const ConvolutionTask& task);
};

// For every processor that this library was built for.
extern const Kernels narrow_kernels;
#ifdef RLPLAT_WIDE_KERNELS
// For those with AVX-512.
extern const Kernels wide_kernels;
#endif

// The widest that this processor can run.
const Kernels& fastest_kernels();

}  // namespace rlplat
