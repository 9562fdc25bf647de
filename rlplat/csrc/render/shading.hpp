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
  Vector to_eye;  // what makes the ray a direction of length 1 towards the eye, View::to_eye
  Mask seen;
};

// Puts red, green and blue, which may be above 1, into those lanes of `colour` that are `seen`.
void shade(const View& view, const Geom& geom, const Pixels& pixels, bool shadows, Lanes3& colour);

}  // namespace rlplat::render
