// Walk with a past of three states.
#pragma once

#include "walk.hpp"

using WalkThree = Walk<3>;
RLPLAT_GAME("walk_three", WalkThree)
