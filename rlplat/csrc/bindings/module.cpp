#include "bindings/arrays.hpp"

NB_MODULE(_core, module) {
  // Games that module-level variables of Python hold until the end are no leaks worth a report on every exit.
  nanobind::set_leak_warnings(false);
  module.doc() =
      "The compiled core of rlplat: games, search, drawing of training batches, inference on the CPU, and rendering.";
  rlplat::bind_game(module);
  rlplat::bind_search(module);
  rlplat::bind_data(module);
  rlplat::bind_inference(module);
  rlplat::bind_render(module);
}
