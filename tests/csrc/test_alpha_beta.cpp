// Search to a fixed depth against plain minimax, on rules that forget and rules that look back.
#include <map>

#include "check.hpp"
#include "games.hpp"
#include "search/alpha_beta.hpp"

using namespace rlplat;

namespace {

std::vector<std::int32_t> legal_actions(const Game& game, const History& history) {
  std::vector<std::int32_t> legal(static_cast<std::size_t>(game.shape().max_legal_actions));
  legal.resize(static_cast<std::size_t>(game.legal_actions(history.current(), history.past(), legal.data())));
  return legal;
}

// From the view of the player to move, without any pruning.
float minimax(const Game& game, const History& history, int plies, int depth) {
  float returns[2];
  const int player = game.player(history.current());
  if (game.outcome(history.current(), history.past(), returns))
    return returns[player] * (AlphaBeta::kWin - static_cast<float>(plies));
  if (plies == depth) return game.heuristic(history.current());
  float best = -2 * AlphaBeta::kWin;
  for (const std::int32_t action : legal_actions(game, history)) {
    History after = history;
    after.apply(action);
    const float value = minimax(game, after, plies + 1, depth);
    best = std::max(best, game.player(after.current()) == player ? value : -value);
  }
  return best;
}

History wander(const Game& game, int plies, std::uint64_t seed) {
  Random random(seed);
  History history(game);
  float returns[2];
  while (history.num_moves() < plies) {
    const std::vector<std::int32_t> legal = legal_actions(game, history);
    History after = history;
    after.apply(legal[random.below(static_cast<std::uint32_t>(legal.size()))]);
    if (game.outcome(after.current(), after.past(), returns)) return history;
    history = after;
  }
  return history;
}

}  // namespace

TEST(a_search_finds_the_value_of_minimax_and_an_action_that_has_it) {
  const std::shared_ptr<const Game> games[] = {load("connect_four", {4, 5, 3}), load("walk_all", {12, 9, 0}),
                                               load("walk_three", {12, 9, 0})};
  for (const auto& game : games)
    for (int depth = 1; depth <= 5; ++depth) {
      AlphaBeta search(game, depth);
      for (std::uint64_t seed = 0; seed < 12; ++seed) {
        const History position = wander(*game, static_cast<int>(seed % 7), seed);
        Random random(seed);
        const AlphaBeta::Result found = search.search(position, random);
        CHECK_NEAR(found.value, minimax(*game, position, 0, depth), 1e-5);
        History after = position;
        after.apply(found.action);
        const float same = game->player(after.current()) == game->player(position.current()) ? 1.0f : -1.0f;
        CHECK_NEAR(found.value, same * minimax(*game, after, 1, depth), 1e-5);
      }
    }
}

TEST(equal_actions_are_played_equally_often) {
  const auto game = load("connect_four", {4, 5, 4});
  AlphaBeta search(game, 4);
  const History position = play(*game, {2, 2, 2, 2});  // its own mirror image
  std::map<int, int> counts;
  Random random(0);
  for (int i = 0; i < 200; ++i) ++counts[search.search(position, random).action];
  for (const auto& [action, count] : counts) CHECK(std::abs(count - counts[4 - action]) < 60);
}

TEST(a_search_refuses_what_it_cannot_search) {
  CHECK_THROWS(AlphaBeta(load("ladder", {5, 9, 1, -1}), 3), std::invalid_argument, "no heuristic");
  CHECK_THROWS(AlphaBeta(load("connect_four", {6, 7, 4}), 0), std::invalid_argument, "depth is 0");
  const auto game = load("connect_four", {6, 7, 4});
  AlphaBeta search(game, 3);
  Random random(0);
  CHECK_THROWS(search.search(play(*game, {0, 1, 0, 1, 0, 1, 0}), random), std::invalid_argument, "over");
}
