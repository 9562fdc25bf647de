#include "bindings/arrays.hpp"

NB_MODULE(_core, module) {
  module.doc() = "The compiled core of rlplat: games, search, and drawing of training batches.";
  rlplat::bind_game(module);
  rlplat::bind_search(module);
  rlplat::bind_data(module);
}
