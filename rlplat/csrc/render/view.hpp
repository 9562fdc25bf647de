// One simulation as its camera sees it: every geom with what the pixels' rays need of it.
#pragma once

#include <vector>

#include "render/scene.hpp"
#include "render/triple.hpp"

namespace rlplat::render {

// A light in the frame of a geom.
struct LocalLight {
  Triple<float> pos;  // relative to the geom's centre
  Triple<float> dir;  // where it shines
};

// A geom in its own frame. The ray of pixel (column x, row y) starts at `origin`, at the centre of the camera, and has
// direction base + x * right + y * down, whose component along the view is 1: its parameter is the depth in metres.
struct Geom {
  int id;
  Shape shape;
  Triple<float> origin, base, right, down;
  Triple<float> size;
  int left, top, end, bottom;  // its rectangle on the screen: columns [left, end), rows [top, bottom)
  const float* rgba;
  const float* surface;
  const float* checker;
  float squared_cosine;  // of the half way direction, where a highlight is too weak to be seen
};

struct Light {
  LightKind kind;
  bool shadow;
  const float* colour;
  const float* attenuation;
  float cos_cutoff;  // -1 or less: shines all around
  float exponent;

  [[gnu::always_inline]] Triple<float> ambient() const { return {colour[0], colour[1], colour[2]}; }
  [[gnu::always_inline]] Triple<float> diffuse() const { return {colour[3], colour[4], colour[5]}; }
  [[gnu::always_inline]] Triple<float> specular() const { return {colour[6], colour[7], colour[8]}; }
};

// What a view holds, as plain arrays.
struct Sight {
  const Geom* geoms;  // those that may be on the screen
  int num_geoms;
  const Geom* occluders;  // those that can cast shadows
  int num_occluders;
  const Light* lights;  // the headlight last
  int num_lights;
  const LocalLight* local;  // [geom ids, lights]
  const float* background;
  const float* to_eye;  // -1 over the lengths of the pixels' rays, in rows `stride` apart
  int stride;
};

class View {
 public:
  // Takes over a simulation's scene for pictures of `width` x `height` pixels.
  void prepare(const Scene& scene, std::size_t simulation, int width, int height);

  Sight sight() const;

 private:
  void measure_rays(int width, int height, float pixel);
  void prepare_lights(const Scene& scene, std::size_t simulation);
  void place_lights(const Scene& scene, std::size_t simulation, int id);

  std::vector<Geom> geoms_, occluders_;
  std::vector<Light> lights_;
  std::vector<LocalLight> local_;
  const float* background_ = nullptr;
  // Kept from picture to picture, as most cameras keep their field of view.
  std::vector<float> to_eye_;
  int width_ = 0, height_ = 0;
  float pixel_ = 0.0f;
};

}  // namespace rlplat::render
