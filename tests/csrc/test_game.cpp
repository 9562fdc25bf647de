#include "check.hpp"
#include "game/count_lines.hpp"
#include "game/game.hpp"
#include "games.hpp"

using namespace rlplat;

TEST(a_game_that_refuses_its_parameters_says_why) {
  CHECK_THROWS(load("thrower", {1}), std::invalid_argument, "refuse is 1");
  CHECK_THROWS(load("ladder", {1, 2}), std::invalid_argument, "takes 4 parameters, got 2");
}

TEST(a_file_that_is_no_game_is_refused) {
  CHECK_THROWS(Game(GAMES_FOLDER "/ladder.cpp", {}), std::runtime_error, "ladder.cpp");
  CHECK_THROWS(Game("/no/such/library.so", {}), std::runtime_error, "library.so");
  CHECK_THROWS(GameLibrary("libm.so.6"), std::runtime_error, "exports no game");
}

TEST(long_texts_arrive_whole) {
  const auto game = load("thrower", {0});
  CHECK_EQUAL(game->text(History(*game).current()), std::string(1000, 'x'));
  const auto other = ladder(12, 3);
  CHECK_EQUAL(other->action_text(History(*other).current(), 11), "11");
}

TEST(planes_are_overwritten_whatever_the_buffer_held) {
  const auto game = load("walk_three", {8, 9, 0});
  std::vector<float> planes(game->observation_size(), 99.0f);
  const History history(*game);
  game->encode(history.current(), history.past(), planes.data());
  CHECK_EQUAL(planes[0], 1.0f);
  for (std::size_t i = 1; i < planes.size(); ++i) CHECK_EQUAL(planes[i], 0.0f);
}

TEST(lines_of_play_are_counted_to_the_ply_where_games_end) {
  const auto game = ladder(3, 4, /*turns=*/1, /*winning_move=*/2);  // two of three moves go on, for four plies at most
  const History start(*game);
  for (const auto& [plies, lines] : {std::pair{0, 1}, {1, 3}, {2, 2 * 3}, {3, 4 * 3}, {4, 8 * 3}, {5, 0}})
    for (const bool one_by_one : {false, true}) CHECK_EQUAL(count_lines(*game, start, plies, one_by_one), lines);
  CHECK_EQUAL(count_lines(*game, play(*game, {0, 1}), 2), 2 * 3);
  CHECK_EQUAL(count_lines(*game, play(*game, {2}), 1), 0);
  CHECK_THROWS(count_lines(*game, start, -1), std::invalid_argument, "at least 0");
}

TEST(lines_are_counted_with_the_past_that_the_rules_ask_for) {
  for (const char* name : {"walk_all", "walk_three"}) {
    const auto game = load(name, {30, 20, 0});
    const History history = play(*game, {0, 1});
    std::int32_t legal[5];
    std::int64_t sum = 0;
    for (int i = game->legal_actions(history.current(), history.past(), legal) - 1; i >= 0; --i) {
      History after = history;
      after.apply(legal[i]);
      sum += count_lines(*game, after, 3);
    }
    CHECK(sum > 100);
    CHECK_EQUAL(count_lines(*game, history, 4), sum);
  }
}

TEST(a_history_restarts_and_copies) {
  const auto game = ladder(5, 9);
  History history = play(*game, {1, 2});
  const History copy = history;
  history.apply(3);
  CHECK_EQUAL(copy.num_moves(), 2);
  CHECK_EQUAL(history.num_moves(), 3);
  CHECK(std::equal(copy.current(), copy.current() + game->state_size(), history.state(2)));
  history.restart();
  CHECK_EQUAL(history.num_moves(), 0);
  CHECK(std::equal(history.current(), history.current() + game->state_size(), copy.state(0)));
  history.restart(copy.current());
  CHECK_EQUAL(history.num_moves(), 0);
  CHECK(std::equal(history.current(), history.current() + game->state_size(), copy.state(2)));
}
