// Compiled once for each width of registers. Nothing of the standard library's code may be used here, nor in what it
// includes: the linker could take its one copy from the file for processors that not everybody has.
#include "render/drawing.hpp"

#include "render/shading.hpp"
#include "render/shapes.hpp"

#ifndef RLPLAT_DRAWING
#define RLPLAT_DRAWING narrow_drawing
#endif

namespace rlplat::render {
namespace {

template <Shape shape>
void trace_geom(const Geom& geom, std::int32_t position, float near, const Canvas& canvas) {
  const Vector first = steps();
  const Rectangle rectangle(geom, canvas);
  for (int y = rectangle.top; y < rectangle.bottom; ++y) {
    const Lanes3 row = spread(geom.base + static_cast<float>(y) * geom.down);
    for (int x = geom.left; x < geom.end; x += kLanes) {
      const Vector columns = first + static_cast<float>(x);
      const Lanes3 ray = row + columns * spread(geom.right);
      const Vector t = enter<shape>(geom.origin, ray, geom.size);
      const int at = (y - canvas.top) * canvas.stride + x;
      const Vector before = load(canvas.depth + at);
      const Mask hit = (t < before) & (t >= near);
      if (!any(hit)) continue;
      store(canvas.depth + at, select(hit, t, before));
      store_integers(canvas.seen + at, hit ? Integers{} + position : load_integers(canvas.seen + at));
    }
  }
}

void trace(const Sight& sight, float near, float far, const Canvas& canvas) {
  for (int at = 0; at < canvas.rows * canvas.stride; at += kLanes) {
    store(canvas.depth + at, all(far));
    store_integers(canvas.seen + at, Integers{} - 1);
  }
  for (std::int32_t position = 0; position < sight.num_geoms; ++position)
    with_shape(sight.geoms[position].shape,
               [&]<Shape shape>() { trace_geom<shape>(sight.geoms[position], position, near, canvas); });
}

void paint(const Sight& sight, bool shadows, const Canvas& canvas) {
  const float* background = sight.background;
  const Integers nothing = packed(spread({background[0], background[1], background[2]}));
  for (int at = 0; at < canvas.rows * canvas.stride; at += kLanes) store_integers(canvas.colours + at, nothing);
  for (std::int32_t position = 0; position < sight.num_geoms; ++position)
    with_shape(sight.geoms[position].shape, [&]<Shape shape>() { shade<shape>(sight, position, shadows, canvas); });
}

}  // namespace

extern const Drawing RLPLAT_DRAWING = {trace, paint};

}  // namespace rlplat::render
