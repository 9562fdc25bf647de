#include "render/shading.hpp"

#include <algorithm>

#include "render/shapes.hpp"

namespace rlplat::render {
namespace {

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
Mask occluded(const View& view, const Geom& self, const Pixels& pixels, std::size_t light, LightKind kind) {
  Mask found{};
  for (const Geom& geom : view.occluders()) {
    if (geom.id == self.id) continue;
    const Lanes3 point = spread(geom.origin) + pixels.depth * direction(geom, pixels);
    const LocalLight& local = view.local(geom.id, light);
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

// What falls on a point from one light.
struct Beam {
  Lanes3 to_light;  // of length 1
  Vector strength;
};

Beam beam_at(const Light& light, const LocalLight& local, const Lanes3& point) {
  if (light.kind == LightKind::kDirectional) return {spread(-1.0f * local.dir), all(1.0f)};
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

// Powers less than 1/512 are no highlight.
constexpr float kFaint = 6.24f;

template <Shape shape>
Lanes3 shade_shape(const View& view, const Geom& geom, const Pixels& pixels, bool shadows) {
  const Lanes3 ray = direction(geom, pixels);
  const Lanes3 point = spread(geom.origin) + pixels.depth * ray;
  const Lanes3 normal = normal_at<shape>(point, geom.size);
  const float emission = geom.surface[0], specular = geom.surface[1], exponent = geom.surface[2];
  const Vector inverse_length = specular > 0.0f ? -1.0f / square_root(dot(ray, ray)) : Vector{};
  const Vector facing_eye = along_normal<shape>(normal, ray) * inverse_length;
  // x^e <= exp(-e (1 - x)), so the power is faint where the cosine is below this.
  const float least_cosine = std::max(0.0f, 1.0f - kFaint / std::max(exponent, 1e-3f));

  Lanes3 diffuse = spread({emission, emission, emission}), shine{};
  for (std::size_t index = 0; index < view.lights().size(); ++index) {
    const Light& light = view.lights()[index];
    if (light.kind == LightKind::kOff) continue;
    const float* colour = light.colour;
    const Beam beam = beam_at(light, view.local(geom.id, index), point);
    const Vector facing_light = along_normal<shape>(normal, beam.to_light);
    Mask lit = pixels.seen & (facing_light > 0.0f) & (beam.strength > 0.0f);
    if (shadows && light.shadow && any(lit)) lit &= ~occluded(view, geom, pixels, index, light.kind);
    const Vector strength = select(lit, beam.strength, Vector{}), lambert = strength * facing_light;
    diffuse.x += beam.strength * colour[0] + lambert * colour[3];
    diffuse.y += beam.strength * colour[1] + lambert * colour[4];
    diffuse.z += beam.strength * colour[2] + lambert * colour[5];
    if (specular <= 0.0f) continue;
    // Blinn: the normal against the direction half way between eye and light, whose length is that of their sum.
    const Vector sum = larger(facing_light + facing_eye, Vector{});
    const Vector squared_length = larger(2.0f + 2.0f * inverse_length * dot(ray, beam.to_light), all(kTiny));
    const Mask bright = lit & (sum * sum > least_cosine * least_cosine * squared_length);
    if (!any(bright)) continue;
    const Vector cosine = smaller(sum / square_root(squared_length), all(1.0f));
    const Vector highlight = select(bright, specular * strength * power(cosine, exponent), Vector{});
    shine.x += highlight * colour[6];
    shine.y += highlight * colour[7];
    shine.z += highlight * colour[8];
  }
  const float* own = geom.rgba;
  Lanes3 colour{own[0] * diffuse.x + shine.x, own[1] * diffuse.y + shine.y, own[2] * diffuse.z + shine.z};
  if constexpr (shape == Shape::kPlane) {
    if (geom.checker[0] <= 0.0f) return colour;
    // As in OpenGL, the texture is laid over the light that has been clamped, highlights included.
    const Lanes3 cell = checker_at(geom, pixels, ray, point);
    const Vector one = all(1.0f);
    colour = {smaller(colour.x, one) * cell.x, smaller(colour.y, one) * cell.y, smaller(colour.z, one) * cell.z};
  }
  return colour;
}

}  // namespace

Lanes3 shade(const View& view, const Geom& geom, const Pixels& pixels, bool shadows) {
  Lanes3 colour{};
  with_shape(geom.shape, [&]<Shape shape>() { colour = shade_shape<shape>(view, geom, pixels, shadows); });
  return colour;
}

}  // namespace rlplat::render
