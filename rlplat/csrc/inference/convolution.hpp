// A 3x3 convolution that keeps the board's size, by Winograd's minimal filtering: F(m, 3) computes m outputs of a row
// with m + 2 products instead of 3 m (Lavin and Gray 2016, arXiv:1509.09308, section 4). On a 6x7 board that leaves a
// third of the multiplications.
#pragma once

#include <cstddef>

#include "inference/vector.hpp"

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

class Convolution {
 public:
  // Channels are padded to kLanes.
  Convolution(int height, int width, int input_channels, int output_channels);

  // weight: `[output_channels][input_channels][3][3]`, bias: `[output_channels]`.
  void set_weights(const float* weight, const float* bias);

  Layout layout(int channels) const;
  int num_tiles() const { return vertical_.count * horizontal_.count; }
  // Floats of scratch memory for `boards` boards.
  std::size_t scratch_size(int boards) const;

  // output = relu(convolution(input) + bias + residual) on every cell. `residual` may be the output; null: none.
  void run(int boards, const float* input, float* scratch, const float* residual, float* output) const;

 private:
  template <int Vertical, int Horizontal>
  void run_tiled(int boards, const float* input, float* scratch, const float* residual, float* output) const;

  int height_, width_, input_channels_, output_channels_;
  Tiling vertical_, horizontal_;
  int num_products_;        // of a tile
  PackedMatrices filters_;  // one for each product
  Buffer bias_;
};

}  // namespace rlplat
