// A 3x3 convolution that keeps the board's size, by Winograd's minimal filtering: F(m, 3) computes m outputs of a row
// with m + 2 products instead of 3 m (Lavin and Gray 2016, arXiv:1509.09308, section 4). On a 6x7 board that leaves a
// third of the multiplications.
#pragma once

#include <cstddef>

#include "inference/kernels.hpp"
#include "inference/packed_matrices.hpp"

namespace rlplat {

class Convolution {
 public:
  // Channels are padded to the kernels' lanes.
  Convolution(int height, int width, int input_channels, int output_channels, const Kernels& kernels);

  // weight: `[output_channels][input_channels][3][3]`, bias: `[output_channels]`.
  void set_weights(const float* weight, const float* bias);

  Layout layout(int channels) const;
  int num_tiles() const { return vertical_.count * horizontal_.count; }
  // Floats of scratch memory for `boards` boards.
  std::size_t scratch_size(int boards) const;

  // output = relu(convolution(input) + bias + residual) on every cell. `residual` may be the output; null: none.
  void run(int boards, const float* input, float* scratch, const float* residual, float* output) const;

 private:
  int height_, width_, input_channels_, output_channels_;
  Tiling vertical_, horizontal_;
  int num_products_;  // of a tile
  const Kernels& kernels_;
  PackedMatrices filters_;  // one for each product
  Buffer bias_;
};

}  // namespace rlplat
