#include "render/view.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "render/canvas.hpp"

namespace rlplat::render {
namespace {

constexpr double kRadiansPerDegree = 3.14159265358979323846 / 180.0;

// The system's libraries round these differently. Power series, for 0 <= x <= pi, to 1e-11.
double sine(double x) {
  double term = x, sum = x;
  for (int n = 2; n < 26; n += 2) sum += term *= -x * x / (n * (n + 1));
  return sum;
}

double cosine(double x) {
  double term = 1.0, sum = 1.0;
  for (int n = 1; n < 27; n += 2) sum += term *= -x * x / (n * (n + 1));
  return sum;
}

Triple<double> triple(const double* p) { return {p[0], p[1], p[2]}; }
Triple<float> rounded(const Triple<double>& a) {
  return {static_cast<float>(a.x), static_cast<float>(a.y), static_cast<float>(a.z)};
}

// From the world's frame into that of the rotation.
Triple<double> into(const double* mat, const Triple<double>& a) {
  return {mat[0] * a.x + mat[3] * a.y + mat[6] * a.z, mat[1] * a.x + mat[4] * a.y + mat[7] * a.z,
          mat[2] * a.x + mat[5] * a.y + mat[8] * a.z};
}

Triple<double> axis(const double* mat, int column) { return {mat[column], mat[column + 3], mat[column + 6]}; }

bool is_finite(const double* p, int count) {
  return std::all_of(p, p + count, [](double x) { return std::abs(x) <= 1e15; });
}

// Half sizes of the box around a shape, in its frame.
Triple<double> half_box(Shape shape, const double* size) {
  switch (shape) {
    case Shape::kSphere:
      return {size[0], size[0], size[0]};
    case Shape::kCapsule:
      return {size[0], size[0], size[1] + size[0]};
    case Shape::kCylinder:
      return {size[0], size[0], size[1]};
    default:
      return triple(size);
  }
}

// The cosine below which a highlight is less than 1/512 and left out: x^e <= exp(-e (1 - x)), and log2(s) is at most
// that of the line through its neighbouring powers of two, plus 0.0861.
float least_cosine_of(float specular, float exponent) {
  int power_of_two = 0;
  const float part = std::frexp(specular, &power_of_two);
  const float log2 = static_cast<float>(power_of_two) + 2.0f * part - 2.0f + 0.0861f;
  return std::max(0.0f, 1.0f - 0.6932f * std::max(9.0f + log2, 0.0f) / std::max(exponent, 1e-3f));
}

float squared_cosine_of(const float* surface) {
  const float least = surface[1] > 0.0f ? least_cosine_of(surface[1], surface[2]) : 1.0f;
  return least * least;
}

struct Screen {
  int width, height;
  double pixel;  // side of a pixel, one metre before the camera
  double near, far;
};

// A column or row, kept within the screen.
int clamped(double at, int length) { return static_cast<int>(std::clamp(at, 0.0, static_cast<double>(length))); }

// Sets the rectangle of a box with half edges `edges` around `centre`, in the camera's frame. False: it is off screen.
bool frame(const Screen& screen, const Triple<double>& centre, const Triple<double> (&edges)[3], Geom& geom) {
  double left = std::numeric_limits<double>::max(), right = -left, top = left, bottom = -left;
  int before = 0, behind = 0, beyond = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const Triple<double> at = centre + (corner & 1 ? 1.0 : -1.0) * edges[0] + (corner & 2 ? 1.0 : -1.0) * edges[1] +
                              (corner & 4 ? 1.0 : -1.0) * edges[2];
    beyond += -at.z > screen.far;
    if (-at.z < screen.near) {
      ++behind;
      continue;
    }
    ++before;
    const double scale = 1.0 / (-at.z * screen.pixel);
    const double x = 0.5 * screen.width + at.x * scale, y = 0.5 * screen.height - at.y * scale;
    left = std::min(left, x), right = std::max(right, x);
    top = std::min(top, y), bottom = std::max(bottom, y);
  }
  if (before == 0 || beyond == 8) return false;
  if (behind > 0) left = top = 0.0, right = screen.width, bottom = screen.height;
  // Rays go through the centres of pixels; a hundredth of a pixel allows for rounding.
  geom.left = clamped(std::ceil(left - 0.51), screen.width);
  geom.end = clamped(std::floor(right - 0.49) + 1.0, screen.width);
  geom.top = clamped(std::ceil(top - 0.51), screen.height);
  geom.bottom = clamped(std::floor(bottom - 0.49) + 1.0, screen.height);
  return geom.left < geom.end && geom.top < geom.bottom;
}

// The rectangle of a shape with rotation `mat` and camera rotation `camera`; its centre is in the camera's frame.
bool frame_shape(const Screen& screen, Shape shape, const double* size, const double* mat, const double* camera,
                 const Triple<double>& centre, Geom& geom) {
  if (shape == Shape::kPlane) {
    geom.left = geom.top = 0, geom.end = screen.width, geom.bottom = screen.height;
    return true;
  }
  const Triple<double> half = half_box(shape, size);
  if (shape == Shape::kSphere) {
    const double r = half.x;
    return frame(screen, centre, {{r, 0.0, 0.0}, {0.0, r, 0.0}, {0.0, 0.0, r}}, geom);
  }
  return frame(
      screen, centre,
      {half.x * into(camera, axis(mat, 0)), half.y * into(camera, axis(mat, 1)), half.z * into(camera, axis(mat, 2))},
      geom);
}

}  // namespace

void View::prepare(const Scene& scene, std::size_t simulation, int width, int height) {
  geoms_.clear(), occluders_.clear();
  background_ = scene.background[simulation];
  prepare_lights(scene, simulation);
  const double *camera_pos = scene.camera_pos[simulation], *camera = scene.camera_mat[simulation];
  const double half_fovy = 0.5 * kRadiansPerDegree * *scene.camera_fovy[simulation];
  if (!is_finite(camera_pos, 3) || !is_finite(camera, 9) || !(half_fovy > 0.0 && half_fovy < 1.57)) return;

  const double pixel = 2.0 * sine(half_fovy) / cosine(half_fovy) / height;
  measure_rays(width, height, static_cast<float>(pixel));
  const Screen screen{width, height, pixel, scene.near, scene.far};
  const Triple<double> right = pixel * axis(camera, 0), down = -pixel * axis(camera, 1);
  // Through the centre of the pixel at the upper left.
  const Triple<double> base = -1.0 * axis(camera, 2) + (0.5 - 0.5 * width) * right + (0.5 - 0.5 * height) * down;
  for (int id = 0; id < scene.num_geoms; ++id) {
    const Shape shape = scene.shapes[id];
    const double *pos = scene.geom_pos[simulation] + 3 * id, *mat = scene.geom_mat[simulation] + 9 * id;
    const double* size = scene.geom_size[simulation] + 3 * id;
    const float* rgba = scene.geom_rgba[simulation] + 4 * id;
    // Simulations that went wrong have positions that are no numbers: such a geom is not drawn.
    if (shape == Shape::kHidden || !(rgba[3] > 0.0f)) continue;
    if (!is_finite(pos, 3) || !is_finite(mat, 9) || !is_finite(size, 3)) continue;
    const Triple<double> from_centre = triple(camera_pos) - triple(pos);
    Geom geom{id,
              shape,
              rounded(into(mat, from_centre)),
              rounded(into(mat, base)),
              rounded(into(mat, right)),
              rounded(into(mat, down)),
              rounded(shape == Shape::kPlane ? triple(size) : half_box(shape, size)),
              0,
              0,
              0,
              0,
              rgba,
              scene.geom_surface[simulation] + 3 * id,
              scene.geom_checker[simulation] + 10 * id,
              squared_cosine_of(scene.geom_surface[simulation] + 3 * id)};
    // Capsules and cylinders are measured by radius and half length of the axis.
    if (shape == Shape::kCapsule) geom.size.z = static_cast<float>(size[1]);
    place_lights(scene, simulation, id);
    if (frame_shape(screen, shape, size, mat, camera, into(camera, triple(pos) - triple(camera_pos)), geom))
      geoms_.push_back(geom);
    if (shape != Shape::kPlane) occluders_.push_back(geom);
  }
}

Sight View::sight() const {
  return {geoms_.data(),     static_cast<int>(geoms_.size()),
          occluders_.data(), static_cast<int>(occluders_.size()),
          lights_.data(),    static_cast<int>(lights_.size()),
          local_.data(),     background_,
          to_eye_.data(),    stride_of(width_)};
}

void View::measure_rays(int width, int height, float pixel) {
  if (width == width_ && height == height_ && pixel == pixel_) return;
  width_ = width, height_ = height, pixel_ = pixel;
  const int stride = stride_of(width);
  to_eye_.resize(static_cast<std::size_t>(stride) * height);
  for (int row = 0; row < height; ++row) {
    const float y = pixel * (static_cast<float>(row) + 0.5f - 0.5f * static_cast<float>(height));
    for (int column = 0; column < stride; ++column) {
      const float x = pixel * (static_cast<float>(column) + 0.5f - 0.5f * static_cast<float>(width));
      to_eye_[static_cast<std::size_t>(row) * stride + column] = -1.0f / std::sqrt(x * x + (y * y + 1.0f));
    }
  }
}

void View::prepare_lights(const Scene& scene, std::size_t simulation) {
  lights_.clear();
  for (int light = 0; light < scene.num_lights; ++light) {
    const float* beam = scene.light_beam[simulation] + 2 * light;
    const double cutoff = std::clamp(static_cast<double>(beam[0]), 0.0, 180.0);
    const bool on =
        is_finite(scene.light_pos[simulation] + 3 * light, 3) && is_finite(scene.light_dir[simulation] + 3 * light, 3);
    lights_.push_back({on ? static_cast<LightKind>(scene.light_kind[simulation][light]) : LightKind::kOff,
                       scene.light_shadow[simulation][light] != 0, scene.light_colour[simulation] + 9 * light,
                       scene.light_attenuation[simulation] + 3 * light,
                       cutoff < 180.0 ? static_cast<float>(cosine(cutoff * kRadiansPerDegree)) : -2.0f, beam[1]});
  }
  lights_.push_back({LightKind::kDirectional, false, scene.headlight[simulation], nullptr, -2.0f, 0.0f});
  local_.resize(scene.num_geoms * lights_.size());
}

void View::place_lights(const Scene& scene, std::size_t simulation, int id) {
  const double *pos = scene.geom_pos[simulation] + 3 * id, *mat = scene.geom_mat[simulation] + 9 * id;
  LocalLight* local = &local_[id * lights_.size()];
  for (int light = 0; light < scene.num_lights; ++light, ++local) {
    local->pos = rounded(into(mat, triple(scene.light_pos[simulation] + 3 * light) - triple(pos)));
    local->dir = rounded(into(mat, triple(scene.light_dir[simulation] + 3 * light)));
  }
  local->dir = rounded(into(mat, -1.0 * axis(scene.camera_mat[simulation], 2)));
}

}  // namespace rlplat::render
