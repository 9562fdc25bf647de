// A band of rows of a picture while it is drawn.
#pragma once

#include <cstdint>

#include "inference/buffer.hpp"
#include "render/lanes.hpp"

namespace rlplat::render {

// Rows are `stride` apart, so that a vector may begin at any pixel of one.
struct Canvas {
  int width, stride;
  int top, rows;  // of the picture, the first and how many
  float* depth;
  std::int32_t* seen;     // positions in View::geoms(), -1: nothing
  std::int32_t* colours;  // red, green and blue, from the lowest byte on
};

inline constexpr int stride_of(int width) { return padded(width, kLanes) + kLanes; }

inline Integers load_integers(const std::int32_t* from) {
  return reinterpret_cast<Integers>(load(reinterpret_cast<const float*>(from)));
}
inline void store_integers(std::int32_t* to, Integers integers) {
  store(reinterpret_cast<float*>(to), reinterpret_cast<Vector>(integers));
}

// Of a colour in [0, 1]; what is outside is clamped.
inline Integers to_byte(Vector colour) {
  return truncate(smaller(larger(colour, Vector{}), all(1.0f)) * 255.0f + 0.5f);
}
inline Integers packed(const Lanes3& colour) {
  return to_byte(colour.x) | to_byte(colour.y) << 8 | to_byte(colour.z) << 16;
}

}  // namespace rlplat::render
