// Rules written in Python, as a game.
#pragma once

#include <memory>

#include "bindings/arrays.hpp"
#include "game/game.hpp"

namespace rlplat {

// `rules` is a rlplat.search.python_rules.PythonRules. What it raises leaves the game's calls as nb::python_error.
std::shared_ptr<Game> game_of_python(nb::object rules);

}  // namespace rlplat
