// Walk with a past that reaches to the start of the game.
#pragma once

#include "walk.hpp"

using WalkAll = Walk<-1>;
RLPLAT_GAME("walk_all", WalkAll)
