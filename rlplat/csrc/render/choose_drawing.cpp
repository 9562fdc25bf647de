#include "inference/processor.hpp"
#include "render/drawing.hpp"

namespace rlplat::render {

const Drawing& fastest_drawing() {
#ifdef RLPLAT_WIDE_KERNELS
  if (has_avx512()) return wide_drawing;
#endif
  return narrow_drawing;
}

}  // namespace rlplat::render
