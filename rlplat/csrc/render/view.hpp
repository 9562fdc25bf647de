// One simulation as its camera sees it: every geom with what the pixels' rays need of it.
#pragma once

#include <vector>

#include "inference/buffer.hpp"
#include "render/lanes.hpp"
#include "render/scene.hpp"

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
};

struct Light {
  LightKind kind;
  bool shadow;
  const float* colour;
  const float* attenuation;
  float cos_cutoff;  // -1 or less: shines all around
  float exponent;

  Triple<float> ambient() const { return {colour[0], colour[1], colour[2]}; }
  Triple<float> diffuse() const { return {colour[3], colour[4], colour[5]}; }
  Triple<float> specular() const { return {colour[6], colour[7], colour[8]}; }
};

class View {
 public:
  // Takes over a simulation's scene for pictures of `width` x `height` pixels.
  void prepare(const Scene& scene, std::size_t simulation, int width, int height);

  const std::vector<Geom>& geoms() const { return geoms_; }          // those that may be on the screen
  const std::vector<Geom>& occluders() const { return occluders_; }  // those that can cast shadows
  const std::vector<Light>& lights() const { return lights_; }       // the headlight last
  // `light` in the frame of geom `id`.
  const LocalLight& local(int id, std::size_t light) const { return local_[id * lights_.size() + light]; }
  const float* background() const { return background_; }
  // -1 over the length of the rays of `row`, from `column` on; rows have room for a vector that begins at any pixel.
  Vector to_eye(int row, int column) const { return load(to_eye_.data() + row * stride_ + column); }

 private:
  void measure_rays(int width, int height, float pixel);
  void prepare_lights(const Scene& scene, std::size_t simulation);
  void place_lights(const Scene& scene, std::size_t simulation, int id);

  std::vector<Geom> geoms_, occluders_;
  std::vector<Light> lights_;
  std::vector<LocalLight> local_;
  const float* background_ = nullptr;
  // Kept from picture to picture, as most cameras keep their field of view.
  Buffer to_eye_;
  int stride_ = 0, width_ = 0, height_ = 0;
  float pixel_ = 0.0f;
};

}  // namespace rlplat::render
