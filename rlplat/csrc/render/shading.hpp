// The colour of what the rays hit: the light model of OpenGL's fixed pipeline, as MuJoCo's renderer has it, evaluated
// at every pixel where that one interpolates between vertices.
#pragma once

#include "render/canvas.hpp"
#include "render/shapes.hpp"
#include "render/view.hpp"

namespace rlplat::render {
namespace {

// The rows of a canvas in which a geom may be.
struct Rectangle {
  Rectangle(const Geom& geom, const Canvas& canvas)
      : top(geom.top > canvas.top ? geom.top : canvas.top),
        bottom(geom.bottom < canvas.top + canvas.rows ? geom.bottom : canvas.top + canvas.rows) {}

  int top, bottom;
};

// Pixels in one row that see one geom at `depth`; lanes outside of `seen` may hold anything.
struct Pixels {
  Vector columns;
  float row;
  Vector depth;
  Vector to_eye;  // what makes the ray a direction of length 1 towards the eye, Sight::to_eye
  Mask seen;
};

Lanes3 direction(const Geom& geom, const Pixels& pixels) {
  return spread(geom.base + pixels.row * geom.down) + pixels.columns * spread(geom.right);
}

// The wave that is 1 on (0, 1), -1 on (1, 2), and so on, each value the mean over about `width` around `at`. Exact up
// to widths of 1, right at the crests up to 2, and 0 beyond.
Vector blurred_square_wave(Vector at, Vector width, Vector inverse_width) {
  const Vector quarter = 0.5f * at - 0.25f;
  const Vector triangle = 0.5f - 2.0f * absolute(quarter - nearest_whole(quarter));  // distance to the next step
  const Vector crest = larger(smaller(2.0f - width, all(1.0f)), Vector{});
  const Vector slope = 2.0f * triangle * inverse_width;
  return crest * smaller(larger(slope, all(-1.0f)), all(1.0f));
}

// Colours of a chess board on a plane, each pixel the mean over about the area that it covers: no jagged edges near, no
// moire far away. `checker` is a row of Scene::geom_checker.
Lanes3 checker_at(const Geom& geom, const Pixels& pixels, const Lanes3& ray, const Lanes3& point) {
  const float* checker = geom.checker;
  // 1 / ray.z, as the depth of a plane is -origin.z / ray.z.
  const Vector inverse = (-1.0f / geom.origin.z) * pixels.depth;
  const Vector slope_x = ray.x * inverse, slope_y = ray.y * inverse;
  const Triple<float>&right = geom.right, &down = geom.down;
  const Vector extent_x = absolute(right.x - slope_x * right.z) + absolute(down.x - slope_x * down.z);
  const Vector extent_y = absolute(right.y - slope_y * right.z) + absolute(down.y - slope_y * down.z);
  const Vector least = all(0.005f);
  const Vector width_x = larger(checker[0] * pixels.depth * extent_x, least);
  const Vector width_y = larger(checker[1] * pixels.depth * extent_y, least);
  const Vector quotient = 1.0f / (width_x * width_y);
  const Vector mean = blurred_square_wave(checker[0] * point.x + checker[2], width_x, quotient * width_y) *
                      blurred_square_wave(checker[1] * point.y + checker[3], width_y, quotient * width_x);
  const Vector share = 0.5f + 0.5f * mean;
  const Triple<float> even{checker[4], checker[5], checker[6]}, odd{checker[7], checker[8], checker[9]};
  return spread(odd) + share * spread(even - odd);
}

// Whether anything else stands between the pixels' points on `self` and a light. A convex shape cannot come between
// its own lit side and the light.
Mask occluded(const Sight& sight, const Geom& self, const Pixels& pixels, int light, LightKind kind) {
  Mask found{};
  for (int position = 0; position < sight.num_occluders; ++position) {
    const Geom& geom = sight.occluders[position];
    if (geom.id == self.id) continue;
    const Lanes3 point = spread(geom.origin) + pixels.depth * direction(geom, pixels);
    const LocalLight& local = sight.local[geom.id * sight.num_lights + light];
    const bool directional = kind == LightKind::kDirectional;
    const Lanes3 to_light = directional ? spread(-1.0f * local.dir) : spread(local.pos) - point;
    const Vector end = all(directional ? 0.5f * kMiss : 1.0f);
    with_shape(geom.shape, [&]<Shape shape>() {
      const Vector t = enter<shape>(point, to_light, geom.size);
      found |= (t > 0.0f) & (t < end);
    });
  }
  return found;
}

// The direction to a positional light, of length 1, and how much of it arrives.
struct Beam {
  Lanes3 to_light;
  Vector strength;
};

Beam beam_at(const Light& light, const LocalLight& local, const Lanes3& point) {
  const Lanes3 way = spread(local.pos) - point;
  const Vector squared = dot(way, way) + kTiny, distance = square_root(squared);
  const float* fade = light.attenuation;
  Beam beam{(1.0f / distance) * way, 1.0f / larger(fade[0] + fade[1] * distance + fade[2] * squared, all(kTiny))};
  if (light.cos_cutoff < -1.0f) return beam;
  const Vector along = -dot(beam.to_light, spread(local.dir));
  const Vector shape = light.exponent > 0.0f ? power(smaller(along, all(1.0f)), light.exponent) : all(1.0f);
  beam.strength = select(along > light.cos_cutoff, beam.strength * shape, Vector{});
  return beam;
}

// The part of `direction` along the normal.
template <Shape shape>
Vector along_normal(const Lanes3& normal, const Lanes3& direction) {
  if constexpr (shape == Shape::kPlane) return direction.z;
  return dot(normal, direction);
}

// A geom in its light.
template <Shape shape>
class Surface {
 public:
  Surface(const Sight& sight, const Geom& geom, bool shadows)
      : sight_(sight),
        local_(sight.local + geom.id * sight.num_lights),
        geom_(geom),
        shadows_(shadows),
        specular_(geom.surface[1]),
        own_{geom.rgba[0], geom.rgba[1], geom.rgba[2]} {
    Triple<float> even{geom.surface[0], geom.surface[0], geom.surface[0]};
    for (int index = 0; index < sight.num_lights; ++index) {
      const Light& light = sight.lights[index];
      if (light.kind != LightKind::kDirectional) continue;
      even = even + light.ambient();
      const float along = -local_[index].dir.z;
      if (is_even(light) && along > 0.0f) even = even + along * light.diffuse();
    }
    even_ = own_ * even;
  }

  Lanes3 colour(const Pixels& pixels) const {
    const Lanes3 ray = direction(geom_, pixels);
    const Lanes3 point = spread(geom_.origin) + pixels.depth * ray;
    const Lanes3 normal = normal_at<shape>(point, geom_.size);
    Sum sum{pixels, ray, normal, Vector{}, spread(even_)};
    if (specular_ > 0.0f) sum.facing_eye = along_normal<shape>(normal, ray) * pixels.to_eye;
    for (int index = 0; index < sight_.num_lights; ++index) {
      const Light& light = sight_.lights[index];
      const LocalLight& local = local_[index];
      if (light.kind == LightKind::kDirectional) {
        add_directional(sum, index, light, local);
      } else if (light.kind == LightKind::kPositional) {
        const Beam beam = beam_at(light, local, point);
        sum.colour = sum.colour + beam.strength * spread(own_ * light.ambient());
        add(sum, index, light, beam.to_light, beam.strength);
      }
    }
    if (shape != Shape::kPlane || geom_.checker[0] <= 0.0f) return sum.colour;
    // As in OpenGL, the texture is laid over the light that has been clamped, highlights included.
    const Lanes3 cell = checker_at(geom_, pixels, ray, point);
    const Vector one = all(1.0f);
    return {smaller(sum.colour.x, one) * cell.x, smaller(sum.colour.y, one) * cell.y,
            smaller(sum.colour.z, one) * cell.z};
  }

 private:
  struct Sum {
    const Pixels& pixels;
    const Lanes3 &ray, &normal;
    Vector facing_eye;
    Lanes3 colour;
  };

  // Whether it falls on all of a plane alike.
  bool is_even(const Light& light) const { return shape == Shape::kPlane && !(shadows_ && light.shadow); }

  void add_directional(Sum& sum, int index, const Light& light, const LocalLight& local) const {
    const Lanes3 to_light = spread(-1.0f * local.dir);
    if (!is_even(light)) return add(sum, index, light, to_light, all(1.0f));
    if (specular_ > 0.0f && local.dir.z < 0.0f) add_highlight(sum, light, to_light, to_light.z, all(1.0f));
  }

  // Adds a light whose `strength` arrives from the direction `to_light`, without its ambient part.
  void add(Sum& sum, int index, const Light& light, const Lanes3& to_light, Vector strength) const {
    const Vector facing_light = along_normal<shape>(sum.normal, to_light);
    Vector lambert = strength * larger(facing_light, Vector{});
    if (shadows_ && light.shadow && any(sum.pixels.seen & (lambert > 0.0f)))
      lambert = select(occluded(sight_, geom_, sum.pixels, index, light.kind), Vector{}, lambert);
    sum.colour = sum.colour + lambert * spread(own_ * light.diffuse());
    if (specular_ > 0.0f) add_highlight(sum, light, to_light, facing_light, select(lambert > 0.0f, strength, Vector{}));
  }

  // Blinn: the normal against the direction half way between eye and light, whose length is that of their sum.
  void add_highlight(Sum& sum, const Light& light, const Lanes3& to_light, Vector facing_light, Vector strength) const {
    const Vector both = larger(facing_light + sum.facing_eye, Vector{});
    const Vector squared_length = larger(2.0f + 2.0f * sum.pixels.to_eye * dot(sum.ray, to_light), all(kTiny));
    const Mask bright = sum.pixels.seen & (both * both > geom_.squared_cosine * squared_length);
    if (!any(bright)) return;
    const Vector cosine = smaller(both / square_root(squared_length), all(1.0f));
    const Vector highlight = select(bright, specular_ * strength * power(cosine, geom_.surface[2]), Vector{});
    sum.colour = sum.colour + highlight * spread(light.specular());
  }

  const Sight& sight_;
  const LocalLight* const local_;
  const Geom& geom_;
  const bool shadows_;
  const float specular_;
  const Triple<float> own_;
  Triple<float> even_;  // what is the same everywhere: emission, ambient, a plane under a directional light
};

// Of a colour in [0, 1]; what is outside is clamped.
inline Integers to_byte(Vector colour) {
  return truncate(smaller(larger(colour, Vector{}), all(1.0f)) * 255.0f + 0.5f);
}
inline Integers packed(const Lanes3& colour) {
  return to_byte(colour.x) | to_byte(colour.y) << 8 | to_byte(colour.z) << 16;
}

// Colours the pixels of the canvas that see the geom at `position`.
template <Shape shape>
void shade(const Sight& sight, std::int32_t position, bool shadows, const Canvas& canvas) {
  const Geom& geom = sight.geoms[position];
  const Surface<shape> surface(sight, geom, shadows);
  const Rectangle rectangle(geom, canvas);
  for (int y = rectangle.top; y < rectangle.bottom; ++y)
    for (int x = geom.left; x < geom.end; x += kLanes) {
      const int at = (y - canvas.top) * canvas.stride + x;
      const Mask seen = load_integers(canvas.seen + at) == position;
      if (!any(seen)) continue;
      const Pixels pixels{steps() + static_cast<float>(x), static_cast<float>(y), load(canvas.depth + at),
                          load(sight.to_eye + y * sight.stride + x), seen};
      const Integers own = packed(surface.colour(pixels));
      store_integers(canvas.colours + at, seen ? own : load_integers(canvas.colours + at));
    }
}

}  // namespace
}  // namespace rlplat::render
