#include "check.hpp"
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
}
