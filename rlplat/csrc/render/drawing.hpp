// What is done to every pixel, compiled once for each width of registers.
#pragma once

#include "render/canvas.hpp"
#include "render/view.hpp"

namespace rlplat::render {

struct Drawing {
  // Finds which geom is seen at every pixel, and its depth: from `near` to `far`, which is also that of nothing.
  void (*trace)(const Sight& sight, float near, float far, const Canvas& canvas);
  // Gives every pixel that was traced its colour.
  void (*paint)(const Sight& sight, bool shadows, const Canvas& canvas);
};

extern const Drawing narrow_drawing;
#ifdef RLPLAT_WIDE_KERNELS
extern const Drawing wide_drawing;  // needs AVX-512
#endif

// The same bytes come from all.
const Drawing& fastest_drawing();

}  // namespace rlplat::render
