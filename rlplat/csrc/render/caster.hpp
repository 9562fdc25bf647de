// Pictures of many simulations by casting a ray through the centre of every pixel.
#pragma once

#include <cstdint>
#include <vector>

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
    int width = 0, stride = 0, top = 0, rows = 0;
    View view;
    Buffer depth;
    std::vector<std::int32_t> seen;  // positions in view.geoms(), -1: nothing
    std::vector<std::uint8_t> lines;
  };

  void draw(const Scene& scene, std::size_t simulation, Band& band, std::uint8_t* colours, float* depth,
            std::int32_t* ids) const;
  void trace(const Scene& scene, Band& band) const;
  void paint(const Band& band, int row, std::uint8_t* line) const;
  void copy(const Band& band, float* depth, std::int32_t* ids) const;
  void paint_rows(Band& band, std::uint8_t* colours) const;

  CasterOptions options_;
  WorkerThreads workers_;
  std::vector<Band> bands_;
};

}  // namespace rlplat::render
