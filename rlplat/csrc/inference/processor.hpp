// What the processor can do that not every one can.
#pragma once

namespace rlplat {

#ifdef RLPLAT_WIDE_KERNELS
// All that x86-64-v4 has.
inline bool has_avx512() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl");
  return has;
}
#endif

}  // namespace rlplat
