// What is drawn: arrays of N simulations, as their owner holds them. Lengths are metres, angles degrees.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rlplat::render {

enum class Shape : std::int32_t { kHidden, kPlane, kSphere, kEllipsoid, kCapsule, kCylinder, kBox };
inline constexpr int kNumShapes = 7;

enum class LightKind : std::int32_t { kOff, kDirectional, kPositional };
inline constexpr int kNumLightKinds = 3;

// Rows of numbers, one row per simulation, or one for all (stride 0).
template <class T>
struct Rows {
  const T* data = nullptr;
  std::size_t stride = 0;

  const T* operator[](std::size_t simulation) const { return data + simulation * stride; }
};

// A rotation matrix has its rows one after another and turns from the object's own frame into the world's.
struct Scene {
  int num_geoms = 0;
  int num_lights = 0;
  const Shape* shapes = nullptr;  // [geoms], the same in all simulations
  float near = 0.0f;              // nothing is drawn nearer to the camera's plane, nor further than `far`
  float far = 0.0f;

  Rows<double> geom_pos;          // [geoms, 3]
  Rows<double> geom_mat;          // [geoms, 9]
  Rows<double> geom_size;         // [geoms, 3]: radius, half length; half sizes of box, ellipsoid, plane (0: infinite)
  Rows<float> geom_rgba;          // [geoms, 4]: colour in [0, 1]; alpha 0 hides, any other is opaque
  Rows<float> geom_surface;       // [geoms, 3]: emission, specular, exponent of the highlight
  Rows<float> geom_checker;       // [geoms, 10]: cells per metre in x, y (0: none), offset in cells, two colours
  Rows<double> camera_pos;        // [3]
  Rows<double> camera_mat;        // [9]: x to the right, y up, looking along -z
  Rows<double> camera_fovy;       // [1]: full vertical angle
  Rows<std::int32_t> light_kind;  // [lights]
  Rows<double> light_pos;         // [lights, 3]
  Rows<double> light_dir;         // [lights, 3]: where it shines, of length 1
  Rows<float> light_colour;       // [lights, 9]: ambient, diffuse, specular
  Rows<float> light_attenuation;  // [lights, 3]: of positional lights, 1 / (a + b d + c d^2) at distance d
  Rows<float> light_beam;         // [lights, 2]: of positional lights, half angle (180: all around) and exponent
  Rows<std::uint8_t> light_shadow;  // [lights]: 1 if it casts shadows
  Rows<float> headlight;            // [9]: ambient, diffuse, specular of a directional light along the camera's view
  Rows<float> background;           // [3]
};

}  // namespace rlplat::render
