#include <limits>
#include <vector>

#include "check.hpp"
#include "inference/processor.hpp"
#include "render/caster.hpp"

using namespace rlplat::render;

namespace {

constexpr int kSimulations = 4;
constexpr int kGeoms = 12;
constexpr double kIdentity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

// Random scenes of all shapes and kinds of light, and poses that are no numbers among them.
struct RandomScene {
  RandomScene() {
    // A linear congruential generator (Knuth, MMIX).
    std::uint64_t state = 1;
    const auto draw = [&](double low, double high) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return low + (high - low) * static_cast<double>(state >> 11) / 9007199254740992.0;
    };
    for (int geom = 0; geom < kGeoms; ++geom) shapes.push_back(static_cast<Shape>(geom % kNumShapes));
    for (int i = 0; i < kSimulations * kGeoms; ++i) {
      for (int axis = 0; axis < 3; ++axis) pos.push_back(draw(-2, 2)), size.push_back(draw(0, 0.7));
      for (int turned = 0; turned < 9; ++turned) mat.push_back(kIdentity[(turned + (i % 2 ? 3 : 0)) % 9]);
      for (int channel = 0; channel < 3; ++channel) rgba.push_back(static_cast<float>(draw(0, 1)));
      rgba.push_back(1.0f);
      surface.insert(surface.end(), {0.1f, 0.6f, static_cast<float>(draw(0, 128))});
      checker.insert(checker.end(), {i % 3 ? 2.0f : 0.0f, 3, 0, 1, 1, 1, 1, 0, 0, 0});
    }
    pos[7] = std::numeric_limits<double>::quiet_NaN();
    pos[30] = std::numeric_limits<double>::infinity();
    size[20] = 0.0;
    scene.num_geoms = kGeoms, scene.num_lights = 2, scene.shapes = shapes.data();
    scene.near = 0.01f, scene.far = 100.0f;
    scene.geom_pos = {pos.data(), 3 * kGeoms}, scene.geom_mat = {mat.data(), 9 * kGeoms};
    scene.geom_size = {size.data(), 3 * kGeoms}, scene.geom_rgba = {rgba.data(), 4 * kGeoms};
    scene.geom_surface = {surface.data(), 3 * kGeoms}, scene.geom_checker = {checker.data(), 10 * kGeoms};
    scene.camera_pos = {camera_pos, 0}, scene.camera_mat = {kIdentity, 0}, scene.camera_fovy = {&fovy, 0};
    scene.light_kind = {light_kind, 0}, scene.light_pos = {light_pos, 0}, scene.light_dir = {light_dir, 0};
    scene.light_colour = {light_colour, 0}, scene.light_attenuation = {light_attenuation, 0};
    scene.light_beam = {light_beam, 0}, scene.light_shadow = {light_shadow, 0};
    scene.headlight = {light_colour, 0}, scene.background = {light_colour, 0};
  }

  std::vector<Shape> shapes;
  std::vector<double> pos, size, mat;
  std::vector<float> rgba, surface, checker;
  double camera_pos[3] = {0, 0, 3}, fovy = 60;
  std::int32_t light_kind[2] = {1, 2};
  double light_pos[6] = {0, 0, 3, 1, 1, 3}, light_dir[6] = {0, 0, -1, 0, 0, -1};
  float light_colour[18] = {0.1f, 0.1f, 0.1f, 0.5f, 0.5f, 0.5f, 0.3f, 0.3f, 0.3f,
                            0.1f, 0.1f, 0.1f, 0.5f, 0.5f, 0.5f, 0.3f, 0.3f, 0.3f};
  float light_attenuation[6] = {1, 0, 0, 1, 0.1f, 0.1f}, light_beam[4] = {45, 10, 50, 5};
  std::uint8_t light_shadow[2] = {1, 1};
  Scene scene;
};

std::vector<std::uint8_t> draw(const RandomScene& random, CasterOptions options, std::vector<std::int32_t>* ids) {
  const std::size_t pixels = static_cast<std::size_t>(kSimulations) * options.width * options.height;
  std::vector<std::uint8_t> colours(3 * pixels);
  std::vector<float> depth(pixels);
  ids->resize(pixels);
  Caster(options).render(random.scene, kSimulations, colours.data(), depth.data(), ids->data());
  return colours;
}

}  // namespace

TEST(pictures_of_any_size_stay_within_their_arrays_and_do_not_depend_on_threads) {
  const RandomScene random;
  for (const int width : {1, 5, 8, 9, 31, 64})
    for (const int height : {1, 7, 16, 21})
      for (const bool fine : {false, true}) {
        std::vector<std::int32_t> one, three;
        const auto single = draw(random, {width, height, fine, fine, 1}, &one);
        CHECK(single == draw(random, {width, height, fine, fine, 3}, &three));
        CHECK(one == three);
      }
}

TEST(every_shape_is_seen_somewhere_but_what_is_hidden_or_nowhere) {
  const RandomScene random;
  std::vector<std::int32_t> ids;
  draw(random, {64, 64, false, false, 1}, &ids);
  bool seen[kNumShapes] = {};
  for (const std::int32_t id : ids)
    if (id >= 0) seen[static_cast<int>(random.shapes[id])] = true;
  CHECK(!seen[0]);
  for (int shape = 1; shape < kNumShapes; ++shape) CHECK(seen[shape]);
  for (int pixel = 0; pixel < 64 * 64; ++pixel) CHECK(ids[pixel] != 2);  // its position is not a number
}

#ifdef RLPLAT_WIDE_KERNELS
TEST(every_width_of_registers_draws_the_same_bytes) {
  if (!rlplat::has_avx512()) return;
  const RandomScene random;
  for (const bool fine : {false, true}) {
    CasterOptions options{45, 33, fine, fine, 1};
    std::vector<std::int32_t> narrow, wide;
    options.drawing = &narrow_drawing;
    const auto colours = draw(random, options, &narrow);
    options.drawing = &wide_drawing;
    CHECK(colours == draw(random, options, &wide));
    CHECK(narrow == wide);
  }
}
#endif
