// Floats in vector registers.
#pragma once

namespace rlplat {

#ifdef __AVX512F__
static constexpr int kLanes = 16;
#else
static constexpr int kLanes = 8;
#endif

// One register (or two, where the processor's are narrower). Arithmetic works lane by lane.
using Vector [[gnu::vector_size(kLanes * sizeof(float))]] = float;
using Unaligned [[gnu::vector_size(kLanes * sizeof(float)), gnu::aligned(alignof(float)), gnu::may_alias]] = float;

// Static: files that are compiled for different processors must not share them.
static inline Vector load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
static inline void store(float* to, Vector vector) { *reinterpret_cast<Unaligned*>(to) = vector; }

}  // namespace rlplat
