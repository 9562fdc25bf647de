// Arithmetic on lanes of pixels. Every result is of additions, products, quotients and square roots, all rounded as
// IEEE 754 says and never fused, so it is the same on every processor and for every number of lanes.
#pragma once

#include <cstdint>

#include "inference/vector.hpp"
#include "render/triple.hpp"

#ifdef __AVX__
#include <immintrin.h>
#endif

namespace rlplat::render {

// Unnamed: files that are compiled for different processors must not share these.
namespace {

using Integers [[gnu::vector_size(kLanes * sizeof(std::int32_t))]] = std::int32_t;
using Words [[gnu::vector_size(kLanes * sizeof(std::int32_t))]] = std::int64_t;

// Lanes of a Mask are all ones (true) or all zeros, as comparisons make them.
using Mask = Integers;

inline Vector all(float x) { return Vector{} + x; }
inline Vector select(Mask mask, Vector yes, Vector no) { return mask ? yes : no; }

// b where one is no number, as x86's instructions have it.
inline Vector smaller(Vector a, Vector b) {
#if defined(__AVX512F__)
  return _mm512_min_ps(a, b);
#elif defined(__AVX__)
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}
inline Vector larger(Vector a, Vector b) {
#if defined(__AVX512F__)
  return _mm512_max_ps(a, b);
#elif defined(__AVX__)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}
inline Vector absolute(Vector x) { return reinterpret_cast<Vector>(reinterpret_cast<Integers>(x) & 0x7fffffff); }

inline bool any(Mask mask) {
#if defined(__AVX512DQ__)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask)) != 0;
#elif defined(__AVX__) && !defined(__AVX512F__)
  return _mm256_movemask_ps(reinterpret_cast<Vector>(mask)) != 0;
#else
  const Words words = reinterpret_cast<Words>(mask);
  std::int64_t found = 0;
  for (int i = 0; i < kLanes / 2; ++i) found |= words[i];
  return found != 0;
#endif
}

// 0, 1, 2, ...
inline Vector steps() {
  Vector result;
  for (int lane = 0; lane < kLanes; ++lane) result[lane] = static_cast<float>(lane);
  return result;
}

// Rounds towards zero; |x| must be below 2^31.
inline Integers truncate(Vector x) { return __builtin_convertvector(x, Integers); }
inline Vector to_floats(Integers x) { return __builtin_convertvector(x, Vector); }

// The nearest whole number, for |x| < 2^22: there, that much more leaves no room for a fraction.
inline Vector nearest_whole(Vector x) { return (x + 12582912.0f) - 12582912.0f; }

inline Vector square_root(Vector x) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(x);
#elif defined(__AVX__)
  return _mm256_sqrt_ps(x);
#else
  for (int lane = 0; lane < kLanes; ++lane) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
#endif
}

// x to the power of `exponent` >= 0 for x in [0, 1], to 4e-6 times the exponent, relatively; tiny results become
// 2^-126.
inline Vector power(Vector x, float exponent) {
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1) / (m + 1).
  const Integers bits = reinterpret_cast<Integers>(larger(x, all(1e-30f)));
  Integers e = (bits >> 23) - 127;
  Vector m = reinterpret_cast<Vector>((bits & 0x7fffff) | 0x3f800000);
  const Mask large = m > 1.41421356f;
  m = select(large, 0.5f * m, m);
  e -= large;  // true is -1
  const Vector s = (m - 1.0f) / (m + 1.0f), s2 = s * s;
  const Vector log2 = to_floats(e) + s * (2.88539008f + s2 * (0.96179669f + s2 * 0.57707802f));
  // 2^y = 2^i e^(f ln 2) with i whole and f in [-1/2, 1/2], by the exponential series.
  const Vector y = larger(exponent * log2, all(-126.0f)), i = nearest_whole(y), f = y - i;
  const Vector series =
      1.0f + f * (0.69314718f + f * (0.24022651f + f * (0.05550411f + f * (0.00961813f + f * 0.00133336f))));
  return series * reinterpret_cast<Vector>((truncate(i) + 127) << 23);
}

using Lanes3 = Triple<Vector>;

inline Integers load_integers(const std::int32_t* from) {
  return reinterpret_cast<Integers>(load(reinterpret_cast<const float*>(from)));
}
inline void store_integers(std::int32_t* to, Integers integers) {
  store(reinterpret_cast<float*>(to), reinterpret_cast<Vector>(integers));
}

template <class A, class B>
inline auto dot(const Triple<A>& a, const Triple<B>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

inline Lanes3 spread(const Triple<float>& a) { return {all(a.x), all(a.y), all(a.z)}; }

}  // namespace

}  // namespace rlplat::render
