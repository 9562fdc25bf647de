#include "check.hpp"
#include "search/known_results.hpp"

using namespace rlplat;

TEST(what_was_found_is_known_until_it_is_cleared_or_another_position_takes_its_place) {
  KnownResults known(6);  // eight places
  const Bounds draw{0.0f, 0.0f}, not_lost{0.0f, 1.0f}, nothing{};
  CHECK(known.find(0) == nothing);
  known.insert(3, not_lost);
  known.insert(4, draw);
  CHECK(known.find(3) == not_lost && known.find(4) == draw);
  CHECK(known.find(11) == nothing);  // of the same place as 3
  known.insert(11, draw);
  CHECK(known.find(11) == draw && known.find(3) == nothing);
  known.clear();
  CHECK(known.find(11) == nothing && known.find(4) == nothing);
}

TEST(a_value_is_held_within_bounds) {
  const Bounds not_lost{0.0f, 1.0f};
  CHECK_EQUAL(not_lost.clamp(-0.5f), 0.0f);
  CHECK_EQUAL(not_lost.clamp(0.5f), 0.5f);
  CHECK(!not_lost.meet() && (Bounds{1.0f, 1.0f}).meet());
}
