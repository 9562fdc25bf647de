// Exact scores and heuristic of Connect Four on boards of every shape, so that the sanitizers see every shift.
#include "check.hpp"
#include "games.hpp"

using namespace rlplat;

namespace {

// 1 + stones that the winner has left, from the view of the player to move.
int brute_force(const Game& game, const History& history, int cells) {
  float returns[2];
  if (game.outcome(history.current(), history.past(), returns))
    return returns[0] == 0.0f ? 0 : -((cells - history.num_moves()) / 2 + 1);
  std::int32_t legal[8];
  const int count = game.legal_actions(history.current(), history.past(), legal);
  int best = -cells;
  for (int i = 0; i < count; ++i) {
    History after = history;
    after.apply(legal[i]);
    best = std::max(best, -brute_force(game, after, cells));
  }
  return best;
}

// A random line of play, as long as asked for or until the game is over.
History wander(const Game& game, int plies, std::uint64_t seed) {
  Random random(seed);
  History history(game);
  float returns[2];
  std::int32_t legal[8];
  while (history.num_moves() < plies && !game.outcome(history.current(), history.past(), returns)) {
    const int count = game.legal_actions(history.current(), history.past(), legal);
    history.apply(legal[random.below(static_cast<std::uint32_t>(count))]);
  }
  return history;
}

}  // namespace

TEST(exact_scores_are_those_of_brute_force_on_boards_of_every_shape) {
  constexpr int kBoards[][3] = {{6, 7, 4}, {7, 8, 4}, {8, 7, 8}, {1, 8, 3}, {8, 2, 8}, {4, 4, 3}, {2, 7, 2}, {5, 5, 5}};
  for (const auto& [rows, columns, line] : kBoards) {
    const auto game =
        load("connect_four", {static_cast<double>(rows), static_cast<double>(columns), static_cast<double>(line)});
    CHECK(game->has_exact_score());
    const int cells = rows * columns;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const History history = wander(*game, cells - static_cast<int>(seed % 7), seed);
      if (cells - history.num_moves() > 8) continue;  // over early
      CHECK_EQUAL(game->exact_score(history.current(), history.past()), brute_force(*game, history, cells));
    }
  }
}

TEST(the_heuristic_lies_between_a_loss_and_a_win_on_boards_of_every_shape) {
  for (double size = 1; size <= 8; ++size)
    for (double line = 2; line <= 8; ++line) {
      const auto game = load("connect_four", {size, 8, line});
      for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const float guess = game->heuristic(wander(*game, static_cast<int>(seed) * 3, seed).current());
        CHECK(guess >= -1.0f && guess <= 1.0f);
      }
      CHECK_EQUAL(game->heuristic(History(*game).current()), 0.0f);
    }
}

TEST(a_game_or_a_board_without_exact_scores_says_so) {
  CHECK(!load("ladder", {5, 9, 1, -1})->has_exact_score());
  CHECK(!load("connect_four", {8, 8, 4})->has_exact_score());
  CHECK_EQUAL(load("connect_four", {6, 7, 4})->shape().exact_score_from, 12);
}
