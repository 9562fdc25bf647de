#include "inference/kernels.hpp"
#include "inference/processor.hpp"

namespace rlplat {

const Kernels& fastest_kernels() {
#ifdef RLPLAT_WIDE_KERNELS
  if (has_avx512()) return wide_kernels;
#endif
  return narrow_kernels;
}

}  // namespace rlplat
