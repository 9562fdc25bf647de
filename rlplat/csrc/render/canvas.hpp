// A band of rows of a picture while it is drawn.
#pragma once

#include <cstdint>

namespace rlplat::render {

// Rows are `stride` apart, so that a vector may begin at any pixel of one.
struct Canvas {
  int width, stride;
  int top, rows;  // of the picture, the first and how many
  float* depth;
  std::int32_t* seen;     // positions in Sight::geoms, -1: nothing
  std::int32_t* colours;  // red, green and blue, from the lowest byte on
};

inline constexpr int stride_of(int width) {
  constexpr int kMostLanes = 16;
  return (width + kMostLanes - 1) / kMostLanes * kMostLanes + kMostLanes;
}

}  // namespace rlplat::render
