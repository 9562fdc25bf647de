// What Python holds of a game under way.
#pragma once

#include <memory>

#include "game/game.hpp"

namespace rlplat {

struct Position {
  explicit Position(std::shared_ptr<Game> game) : game(std::move(game)), history(*this->game) {}

  std::shared_ptr<Game> game;
  History history;
};

}  // namespace rlplat
