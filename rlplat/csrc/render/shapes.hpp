// Where rays enter shapes, and which way the surface faces there, all in the frame of the shape.
//
// A ray is origin + t direction. A shape is hit where a ray enters it, never where it leaves it: from the inside a
// shape is invisible. How far a ray passes from an axis or a centre comes from a cross product, as the textbook's
// discriminant b^2 - a c loses all digits of a thin shape far away. Rays that miss are sorted out before the division.
#pragma once

#include "render/lanes.hpp"
#include "render/scene.hpp"

namespace rlplat::render {
namespace {

inline constexpr float kMiss = 3e38f;
inline constexpr float kTiny = 1e-20f;

// Origin: Triple<float>, of rays that start at one point, or Lanes3. Size: as Geom has it.
template <class Origin>
Vector enter_plane(const Origin& o, const Lanes3& d, const Triple<float>& size) {
  const Vector t = -o.z / d.z;
  Mask hit = d.z < 0.0f;
  if (size.x > 0.0f) hit &= absolute(o.x + t * d.x) <= size.x;
  if (size.y > 0.0f) hit &= absolute(o.y + t * d.y) <= size.y;
  return select(hit, t, all(kMiss));
}

// The unit ball in a space where the ellipsoid is one.
template <class Origin>
Vector enter_ellipsoid(const Origin& o, const Lanes3& d, const Triple<float>& size) {
  const Triple<float> scale{1.0f / size.x, 1.0f / size.y, 1.0f / size.z};
  const Lanes3 u{d.x * scale.x, d.y * scale.y, d.z * scale.z};
  const Origin p{o.x * scale.x, o.y * scale.y, o.z * scale.z};
  const Vector x = p.y * u.z - p.z * u.y, y = p.z * u.x - p.x * u.z, z = p.x * u.y - p.y * u.x;
  const Vector a = dot(u, u), rest = a - (x * x + y * y + z * z);
  const Mask hit = rest > 0.0f;
  if (!any(hit)) return all(kMiss);
  return select(hit, (-dot(p, u) - square_root(larger(rest, Vector{}))) / a, all(kMiss));
}

template <class Origin>
Vector enter_capsule(const Origin& o, const Lanes3& d, const Triple<float>& size) {
  const float squared_radius = size.x * size.x, half = size.z;
  const Vector flat = d.x * d.x + d.y * d.y + kTiny, aside = o.x * d.y - o.y * d.x;
  const Vector rest = squared_radius * flat - aside * aside;
  const Mask within = rest > 0.0f;
  if (!any(within)) return all(kMiss);
  const Vector approach = d.x * o.x + d.y * o.y;
  const Vector side = (-approach - square_root(larger(rest, Vector{}))) / flat, z = o.z + side * d.z;
  const Mask on_side = within & (absolute(z) <= half);
  // A ray that enters the endless cylinder beyond an end can meet the ball of that end only.
  const Mask at_end = within & ~on_side;
  if (!any(at_end)) return select(on_side, side, all(kMiss));
  const Vector from_end = o.z - select(z > 0.0f, all(half), all(-half));
  const Vector x = o.y * d.z - from_end * d.y, y = from_end * d.x - o.x * d.z;
  const Vector a = dot(d, d), left = squared_radius * a - (x * x + y * y + aside * aside);
  const Vector ball = (-(approach + d.z * from_end) - square_root(larger(left, Vector{}))) / a;
  return select(on_side, side, select(at_end & (left > 0.0f), ball, all(kMiss)));
}

// The endless cylinder cut by the slab between the ends.
template <class Origin>
Vector enter_cylinder(const Origin& o, const Lanes3& d, const Triple<float>& size) {
  const float half = size.z;
  const Vector flat = d.x * d.x + d.y * d.y + kTiny, aside = o.x * d.y - o.y * d.x;
  const Vector rest = size.x * size.x * flat - aside * aside;
  const Mask within = rest > 0.0f;
  if (!any(within)) return all(kMiss);
  const Vector inverse_flat = 1.0f / flat, nearest = -(d.x * o.x + d.y * o.y) * inverse_flat;
  const Vector chord = square_root(larger(rest, Vector{})) * inverse_flat, inverse = 1.0f / d.z;
  const Vector below = (-half - o.z) * inverse, above = (half - o.z) * inverse;
  const Vector in = larger(nearest - chord, smaller(below, above));
  const Vector out = smaller(nearest + chord, larger(below, above));
  return select(within & (in <= out), in, all(kMiss));
}

// Three slabs.
template <class Origin>
Vector enter_box(const Origin& o, const Lanes3& d, const Triple<float>& size) {
  const Lanes3 inverse{1.0f / d.x, 1.0f / d.y, 1.0f / d.z};
  const Vector x0 = (-size.x - o.x) * inverse.x, x1 = (size.x - o.x) * inverse.x;
  const Vector y0 = (-size.y - o.y) * inverse.y, y1 = (size.y - o.y) * inverse.y;
  const Vector z0 = (-size.z - o.z) * inverse.z, z1 = (size.z - o.z) * inverse.z;
  const Vector in = larger(larger(smaller(x0, x1), smaller(y0, y1)), smaller(z0, z1));
  const Vector out = smaller(smaller(larger(x0, x1), larger(y0, y1)), larger(z0, z1));
  return select(in <= out, in, all(kMiss));
}

template <Shape shape, class Origin>
Vector enter(const Origin& o, const Lanes3& d, const Triple<float>& size) {
  if constexpr (shape == Shape::kPlane) return enter_plane(o, d, size);
  if constexpr (shape == Shape::kSphere || shape == Shape::kEllipsoid) return enter_ellipsoid(o, d, size);
  if constexpr (shape == Shape::kCapsule) return enter_capsule(o, d, size);
  if constexpr (shape == Shape::kCylinder) return enter_cylinder(o, d, size);
  if constexpr (shape == Shape::kBox) return enter_box(o, d, size);
  return all(kMiss);
}

// Calls work.operator()<shape>(), for loops that have the shape compiled in.
template <class Work>
void with_shape(Shape shape, Work&& work) {
  switch (shape) {
    case Shape::kHidden:
      return;
    case Shape::kPlane:
      return work.template operator()<Shape::kPlane>();
    case Shape::kSphere:
    case Shape::kEllipsoid:
      return work.template operator()<Shape::kEllipsoid>();
    case Shape::kCapsule:
      return work.template operator()<Shape::kCapsule>();
    case Shape::kCylinder:
      return work.template operator()<Shape::kCylinder>();
    case Shape::kBox:
      return work.template operator()<Shape::kBox>();
  }
}

// Of length 1, at a point on the surface.
template <Shape shape>
Lanes3 normal_at(const Lanes3& point, const Triple<float>& size) {
  const Vector zero{}, one = all(1.0f);
  const auto sign = [&](Vector x) { return select(x < 0.0f, -one, one); };
  if constexpr (shape == Shape::kEllipsoid) {
    const Triple<float> scale{1.0f / (size.x * size.x), 1.0f / (size.y * size.y), 1.0f / (size.z * size.z)};
    const Lanes3 gradient{point.x * scale.x, point.y * scale.y, point.z * scale.z};
    return (1.0f / square_root(dot(gradient, gradient) + kTiny)) * gradient;
  } else if constexpr (shape == Shape::kCapsule) {
    const Vector along = smaller(larger(point.z, all(-size.z)), all(size.z));
    return all(1.0f / size.x) * Lanes3{point.x, point.y, point.z - along};
  } else if constexpr (shape == Shape::kCylinder) {
    // On an end where the point is nearer to its plane than to the mantle.
    const Vector distance = square_root(point.x * point.x + point.y * point.y + kTiny);
    const Mask on_end = absolute(point.z) - size.z > distance - size.x;
    return {select(on_end, zero, point.x / distance), select(on_end, zero, point.y / distance),
            select(on_end, sign(point.z), zero)};
  } else if constexpr (shape == Shape::kBox) {
    const Vector x = absolute(point.x) - size.x, y = absolute(point.y) - size.y, z = absolute(point.z) - size.z;
    const Mask on_x = (x >= y) & (x >= z), on_y = ~on_x & (y >= z);
    return {select(on_x, sign(point.x), zero), select(on_y, sign(point.y), zero),
            select(on_x | on_y, zero, sign(point.z))};
  }
  return {zero, zero, one};
}

}  // namespace
}  // namespace rlplat::render
