#include "render/shading.hpp"

#include <algorithm>
#include <cmath>

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

// The cosine below which a highlight is less than 1/512 and left out: x^e <= exp(-e (1 - x)), and log2(s) is at most
// that of the line through its neighbouring powers of two, plus 0.0861.
float least_cosine_of(float specular, float exponent) {
  int power_of_two = 0;
  const float part = std::frexp(specular, &power_of_two);
  const float log2 = static_cast<float>(power_of_two) + 2.0f * part - 2.0f + 0.0861f;
  return std::max(0.0f, 1.0f - 0.6932f * std::max(9.0f + log2, 0.0f) / std::max(exponent, 1e-3f));
}

// Sums up light on the pixels of one geom.
template <Shape shape>
struct Surface {
  Surface(const View& view, const Geom& geom, const Pixels& pixels, bool shadows)
      : view(view),
        geom(geom),
        pixels(pixels),
        shadows(shadows),
        ray(direction(geom, pixels)),
        point(spread(geom.origin) + pixels.depth * ray),
        normal(normal_at<shape>(point, geom.size)),
        specular(geom.surface[1]),
        least_cosine(specular > 0.0f ? least_cosine_of(specular, geom.surface[2]) : 1.0f),
        even{geom.surface[0], geom.surface[0], geom.surface[0]},
        diffuse(spread({0.0f, 0.0f, 0.0f})),
        shine(spread({0.0f, 0.0f, 0.0f})) {
    facing_eye = along_normal<shape>(normal, ray) * pixels.to_eye;
  }

  const View& view;
  const Geom& geom;
  const Pixels& pixels;
  const bool shadows;
  const Lanes3 ray, point, normal;
  const float specular;
  const float least_cosine;
  Vector facing_eye;
  Triple<float> even;  // light that is the same everywhere: emission, ambient, a plane under a directional light
  Lanes3 diffuse, shine;

  // Adds light `index`, whose `strength` arrives from the direction `to_light`, without its ambient part.
  [[gnu::always_inline]] void add(std::size_t index, const Lanes3& to_light, Vector strength) {
    const Light& light = view.lights()[index];
    const Vector facing_light = along_normal<shape>(normal, to_light);
    Vector lambert = strength * larger(facing_light, Vector{});
    if (shadows && light.shadow && any(pixels.seen & (lambert > 0.0f)))
      lambert = select(occluded(view, geom, pixels, index, light.kind), Vector{}, lambert);
    diffuse = diffuse + lambert * spread(light.diffuse());
    if (specular > 0.0f) add_highlight(light, to_light, facing_light, select(lambert > 0.0f, strength, Vector{}));
  }

  // Blinn: the normal against the direction half way between eye and light, whose length is that of their sum.
  [[gnu::always_inline]] void add_highlight(const Light& light, const Lanes3& to_light, Vector facing_light,
                                            Vector strength) {
    const Vector sum = larger(facing_light + facing_eye, Vector{});
    const Vector squared_length = larger(2.0f + 2.0f * pixels.to_eye * dot(ray, to_light), all(kTiny));
    const Mask bright = pixels.seen & (sum * sum > least_cosine * least_cosine * squared_length);
    if (!any(bright)) return;
    const Vector cosine = smaller(sum / square_root(squared_length), all(1.0f));
    const Vector highlight = select(bright, specular * strength * power(cosine, geom.surface[2]), Vector{});
    shine = shine + highlight * spread(light.specular());
  }

  void add_all() {
    for (std::size_t index = 0; index < view.lights().size(); ++index) {
      const Light& light = view.lights()[index];
      const LocalLight& local = view.local(geom.id, index);
      if (light.kind == LightKind::kDirectional) {
        even = even + light.ambient();
        const Lanes3 to_light = spread(-1.0f * local.dir);
        if (shape != Shape::kPlane || (shadows && light.shadow)) {
          add(index, to_light, all(1.0f));
        } else if (local.dir.z < 0.0f) {
          even = even + -local.dir.z * light.diffuse();
          if (specular > 0.0f) add_highlight(light, to_light, to_light.z, all(1.0f));
        }
      } else if (light.kind == LightKind::kPositional) {
        const Beam beam = beam_at(light, local, point);
        diffuse = diffuse + beam.strength * spread(light.ambient());
        add(index, beam.to_light, beam.strength);
      }
    }
    diffuse = diffuse + spread(even);
  }

  Lanes3 colour() const {
    const float* own = geom.rgba;
    const Lanes3 lit{own[0] * diffuse.x + shine.x, own[1] * diffuse.y + shine.y, own[2] * diffuse.z + shine.z};
    if (shape != Shape::kPlane || geom.checker[0] <= 0.0f) return lit;
    // As in OpenGL, the texture is laid over the light that has been clamped, highlights included.
    const Lanes3 cell = checker_at(geom, pixels, ray, point);
    const Vector one = all(1.0f);
    return {smaller(lit.x, one) * cell.x, smaller(lit.y, one) * cell.y, smaller(lit.z, one) * cell.z};
  }
};

}  // namespace

void shade(const View& view, const Geom& geom, const Pixels& pixels, bool shadows, Lanes3& colour) {
  with_shape(geom.shape, [&]<Shape shape>() {
    Surface<shape> surface(view, geom, pixels, shadows);
    surface.add_all();
    const Lanes3 own = surface.colour();
    colour = {select(pixels.seen, own.x, colour.x), select(pixels.seen, own.y, colour.y),
              select(pixels.seen, own.z, colour.z)};
  });
}

}  // namespace rlplat::render
