// Pictures laid behind one another pixel by pixel, as networks take a stack of frames.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rlplat {

// Puts `channels` bytes of every pixel of each of `num` frames side by side: `out` has pixels x num x channels bytes.
void stack_frames(const std::uint8_t* const* frames, std::size_t num, std::size_t pixels, std::size_t channels,
                  std::uint8_t* out);

}  // namespace rlplat
