#include "inference/kernels.hpp"

namespace rlplat {

const Kernels& fastest_kernels() {
#ifdef RLPLAT_WIDE_KERNELS
  static const bool is_wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                              __builtin_cpu_supports("avx512vl");
  if (is_wide) return wide_kernels;
#endif
  return narrow_kernels;
}

}  // namespace rlplat
