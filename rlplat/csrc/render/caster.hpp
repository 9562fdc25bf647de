// Pictures of many simulations by casting a ray through the centre of every pixel.
#pragma once

#include <cstdint>
#include <vector>

#include "render/drawing.hpp"
#include "render/scene.hpp"
#include "render/view.hpp"
#include "search/worker_threads.hpp"

namespace rlplat::render {

struct CasterOptions {
  int width = 64;
  int height = 64;
  bool supersampling = false;  // colours are means of 2x2 rays
  bool shadows = false;
  int num_threads = 1;
  const Drawing* drawing = &fastest_drawing();
};

class Caster {
 public:
  explicit Caster(const CasterOptions& options);

  const CasterOptions& options() const { return options_; }

  // Fills those of the arrays that are not null: colours [n, height, width, 3], depth in metres along the view
  // [n, height, width] (scene.far where there is nothing), ids of geoms [n, height, width] (-1 where there is nothing).
  // The upper left pixel comes first. Depth and ids are of the centres of pixels.
  void render(const Scene& scene, int num_simulations, std::uint8_t* colours, float* depth, std::int32_t* ids);

 private:
  // What one thread works on: a band of rows of one picture.
  struct Band {
    View view;
    std::vector<float> depth;
    std::vector<std::int32_t> seen, colours;
  };

  void draw(const Scene& scene, std::size_t simulation, Band& band, std::uint8_t* colours, float* depth,
            std::int32_t* ids) const;

  CasterOptions options_;
  WorkerThreads workers_;
  std::vector<Band> bands_;
};

}  // namespace rlplat::render
