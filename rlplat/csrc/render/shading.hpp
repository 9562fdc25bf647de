// The colour of what the rays hit: the light model of OpenGL's fixed pipeline, as MuJoCo's renderer has it, evaluated
// at every pixel where that one interpolates between vertices.
#pragma once

#include "render/lanes.hpp"
#include "render/view.hpp"

namespace rlplat::render {

// Pixels in one row that see one geom at `depth`; lanes outside of `seen` may hold anything.
struct Pixels {
  Vector columns;
  float row;
  Vector depth;
  Mask seen;
};

// Red, green and blue; may be above 1.
Lanes3 shade(const View& view, const Geom& geom, const Pixels& pixels, bool shadows);

}  // namespace rlplat::render
