// The colour of what the rays hit: the light model of OpenGL's fixed pipeline, as MuJoCo's renderer has it, evaluated
// at every pixel where that one interpolates between vertices.
#pragma once

#include "render/canvas.hpp"
#include "render/view.hpp"

namespace rlplat::render {

// Colours the pixels of the canvas that see the geom at `position` of view.geoms().
void shade(const View& view, std::int32_t position, bool shadows, const Canvas& canvas);

}  // namespace rlplat::render
