#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>

#include "bindings/arrays.hpp"
#include "render/caster.hpp"

namespace rlplat {

namespace {

using render::Caster;
using render::CasterOptions;
using render::Rows;
using render::Shape;

// A caster and the shapes that it draws in all simulations.
class BoundCaster {
 public:
  BoundCaster(const std::vector<int>& shapes, const CasterOptions& options) : caster_(options) {
    for (const int shape : shapes) {
      if (shape < 0 || shape >= render::kNumShapes) throw nb::value_error("shapes: no such shape");
      shapes_.push_back(static_cast<Shape>(shape));
    }
  }

  Caster& caster() { return caster_; }
  const std::vector<Shape>& shapes() const { return shapes_; }

 private:
  std::vector<Shape> shapes_;
  Caster caster_;
};

// Rows of `count` x `size` numbers, of one simulation for all or of `num_simulations` ones.
template <class T>
Rows<T> rows(const Array<const T, 3>& array, std::size_t num_simulations, std::size_t count, std::size_t size,
             const char* name) {
  if (array.shape(0) != 1) check_length(array, 0, num_simulations, name);
  check_length(array, 1, count, name);
  check_length(array, 2, size, name);
  return {array.data(), array.shape(0) == 1 ? 0 : count * size};
}

// The same, of one of several cameras.
template <class T>
Rows<T> camera_rows(const Array<const T, 3>& array, std::size_t num_simulations, std::size_t num_cameras,
                    std::size_t size, std::size_t camera, const char* name) {
  Rows<T> result = rows(array, num_simulations, num_cameras, size, name);
  result.data += camera * size;
  return result;
}

template <class A>
auto* checked_output(std::optional<A>& array, std::size_t num_simulations, const CasterOptions& options,
                     const char* name) {
  if (!array) return static_cast<decltype(array->data())>(nullptr);
  check_length(*array, 0, num_simulations, name);
  check_length(*array, 1, static_cast<std::size_t>(options.height), name);
  check_length(*array, 2, static_cast<std::size_t>(options.width), name);
  if (array->ndim() == 4) check_length(*array, 3, 3, name);
  return array->data();
}

using Doubles = Array<const double, 3>;
using Floats = Array<const float, 3>;

void cast(BoundCaster& self, std::size_t camera, Doubles geom_pos, Doubles geom_mat, Doubles geom_size,
          Floats geom_rgba, Floats geom_surface, Floats geom_checker, Doubles camera_pos, Doubles camera_mat,
          Doubles camera_fovy, Array<const std::int32_t, 3> light_kind, Doubles light_pos, Doubles light_dir,
          Floats light_colour, Floats light_attenuation, Floats light_beam, Array<const std::uint8_t, 3> light_shadow,
          Floats headlight, Floats background, float near, float far, std::size_t num_simulations,
          std::optional<Array<std::uint8_t, 4>> rgb_out, std::optional<Array<float, 3>> depth_out,
          std::optional<Array<std::int32_t, 3>> segmentation_out) {
  const std::size_t n = num_simulations, geoms = self.shapes().size(), cameras = camera_pos.shape(1);
  const std::size_t lights = light_kind.shape(1);
  if (camera >= cameras) throw nb::index_error("camera: there is none of that number");
  if (!(near > 0.0f && far > near && far < 1e15f)) throw nb::value_error("near and far: need 0 < near < far < 1e15");
  render::Scene scene;
  scene.num_geoms = static_cast<int>(geoms);
  scene.num_lights = static_cast<int>(lights);
  scene.shapes = self.shapes().data();
  scene.near = near, scene.far = far;
  scene.geom_pos = rows(geom_pos, n, geoms, 3, "geom_pos");
  scene.geom_mat = rows(geom_mat, n, geoms, 9, "geom_mat");
  scene.geom_size = rows(geom_size, n, geoms, 3, "geom_size");
  scene.geom_rgba = rows(geom_rgba, n, geoms, 4, "geom_rgba");
  scene.geom_surface = rows(geom_surface, n, geoms, 3, "geom_surface");
  scene.geom_checker = rows(geom_checker, n, geoms, 10, "geom_checker");
  scene.camera_pos = camera_rows(camera_pos, n, cameras, 3, camera, "camera_pos");
  scene.camera_mat = camera_rows(camera_mat, n, cameras, 9, camera, "camera_mat");
  scene.camera_fovy = camera_rows(camera_fovy, n, cameras, 1, camera, "camera_fovy");
  scene.light_kind = rows(light_kind, n, lights, 1, "light_kind");
  for (std::size_t i = 0; i < light_kind.size(); ++i)
    if (light_kind.data()[i] < 0 || light_kind.data()[i] >= render::kNumLightKinds)
      throw nb::value_error("light_kind: no such kind");
  scene.light_pos = rows(light_pos, n, lights, 3, "light_pos");
  scene.light_dir = rows(light_dir, n, lights, 3, "light_dir");
  scene.light_colour = rows(light_colour, n, lights, 9, "light_colour");
  scene.light_attenuation = rows(light_attenuation, n, lights, 3, "light_attenuation");
  scene.light_beam = rows(light_beam, n, lights, 2, "light_beam");
  scene.light_shadow = rows(light_shadow, n, lights, 1, "light_shadow");
  scene.headlight = rows(headlight, n, 1, 9, "headlight");
  scene.background = rows(background, n, 1, 3, "background");
  Caster& caster = self.caster();
  auto* const colours = checked_output(rgb_out, n, caster.options(), "rgb_out");
  auto* const depth = checked_output(depth_out, n, caster.options(), "depth_out");
  auto* const ids = checked_output(segmentation_out, n, caster.options(), "segmentation_out");
  const nb::gil_scoped_release release;
  caster.render(scene, static_cast<int>(n), colours, depth, ids);
}

}  // namespace

void bind_render(nb::module_& module) {
  nb::class_<BoundCaster>(
      module, "Caster",
      "Draws scenes of primitive shapes; one thread calls it at a time. rlplat/csrc/render/scene.hpp "
      "says what the arrays hold.")
      .def(
          "__init__",
          [](BoundCaster* self, const std::vector<int>& shapes, int width, int height, bool supersampling, bool shadows,
             int num_threads) {
            if (width < 1 || height < 1 || width > 8192 || height > 8192)
              throw nb::value_error("width and height: need 1 to 8192");
            if (num_threads < 1) throw nb::value_error("num_threads: need at least 1");
            new (self) BoundCaster(shapes, {width, height, supersampling, shadows, num_threads});
          },
          nb::kw_only(), nb::arg("shapes"), nb::arg("width"), nb::arg("height"), nb::arg("supersampling") = false,
          nb::arg("shadows") = false, nb::arg("num_threads") = 1)
      .def("render", &cast, nb::kw_only(), nb::arg("camera"), nb::arg("geom_pos").noconvert(),
           nb::arg("geom_mat").noconvert(), nb::arg("geom_size").noconvert(), nb::arg("geom_rgba").noconvert(),
           nb::arg("geom_surface").noconvert(), nb::arg("geom_checker").noconvert(), nb::arg("camera_pos").noconvert(),
           nb::arg("camera_mat").noconvert(), nb::arg("camera_fovy").noconvert(), nb::arg("light_kind").noconvert(),
           nb::arg("light_pos").noconvert(), nb::arg("light_dir").noconvert(), nb::arg("light_colour").noconvert(),
           nb::arg("light_attenuation").noconvert(), nb::arg("light_beam").noconvert(),
           nb::arg("light_shadow").noconvert(), nb::arg("headlight").noconvert(), nb::arg("background").noconvert(),
           nb::arg("near"), nb::arg("far"), nb::arg("num_simulations"), nb::arg("rgb_out").noconvert() = nb::none(),
           nb::arg("depth_out").noconvert() = nb::none(), nb::arg("segmentation_out").noconvert() = nb::none(),
           "Fill those outputs that are given: uint8[N, H, W, 3], float32[N, H, W] in metres, int32[N, H, W] of geom "
           "ids. Every input is [N or 1, objects, numbers]; 1 is for all simulations.");
}

}  // namespace rlplat
