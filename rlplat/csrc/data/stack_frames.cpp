#include "data/stack_frames.hpp"

#include <cstring>

namespace rlplat {
namespace {

// Of three channels: a pixel is moved with the byte behind it, over which the next one is stored.
void stack_colours(const std::uint8_t* const* frames, std::size_t num, std::size_t pixels, std::uint8_t* out) {
  for (std::size_t pixel = 0; pixel < pixels; ++pixel)
    for (std::size_t frame = 0; frame < num; ++frame, out += 3) std::memcpy(out, frames[frame] + 3 * pixel, 4);
}

}  // namespace

void stack_frames(const std::uint8_t* const* frames, std::size_t num, std::size_t pixels, std::size_t channels,
                  std::uint8_t* out) {
  if (num == 1) {
    std::memcpy(out, frames[0], pixels * channels);
    return;
  }
  // The last pixel has no byte behind it.
  const std::size_t quick = channels == 3 && pixels > 0 ? pixels - 1 : 0;
  stack_colours(frames, num, quick, out);
  out += quick * num * channels;
  for (std::size_t pixel = quick; pixel < pixels; ++pixel)
    for (std::size_t frame = 0; frame < num; ++frame, out += channels)
      std::memcpy(out, frames[frame] + channels * pixel, channels);
}

}  // namespace rlplat
