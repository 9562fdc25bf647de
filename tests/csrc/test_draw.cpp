#include "check.hpp"
#include "data/draw.hpp"
#include "games.hpp"

using namespace rlplat;

namespace {

struct Drawn {
  std::vector<float> planes, policy;
  std::vector<char> legal;
};

Drawn draw(const Game& game, const std::vector<std::byte>& states, const std::vector<std::uint16_t>& policy,
           const DrawnPosition& position) {
  const auto actions = static_cast<std::size_t>(game.shape().num_actions);
  Drawn out{std::vector<float>(game.observation_size()), std::vector<float>(actions), {}};
  const auto legal = std::make_unique<bool[]>(actions);
  draw_position(game,
                {states.data(), static_cast<std::int64_t>(states.size() / game.state_size()), policy.data(),
                 static_cast<std::int64_t>(policy.size())},
                position, out.planes.data(), out.policy.data(), legal.get());
  out.legal.assign(legal.get(), legal.get() + actions);
  return out;
}

}  // namespace

TEST(a_symmetry_moves_planes_policy_and_legal_actions_together) {
  const auto game = load("connect_four", {2, 4, 3});
  const History history = play(*game, {0, 0, 1});  // the first column is full
  const std::vector<std::byte> states(history.current(), history.current() + game->state_size());
  const std::vector<std::uint16_t> policy{10'000, 20'000, 30'000};
  const Drawn plain = draw(*game, states, policy, {0, 3, 0, 3, 0}),
              mirrored = draw(*game, states, policy, {0, 3, 0, 3, 1});
  CHECK(plain.legal == (std::vector<char>{0, 1, 1, 1}) && mirrored.legal == (std::vector<char>{1, 1, 1, 0}));
  const double expected[] = {0.0, 1.0 / 6, 2.0 / 6, 3.0 / 6};
  for (std::size_t column = 0; column < 4; ++column) {
    CHECK_NEAR(plain.policy[column], expected[column], 1e-6);
    CHECK_NEAR(mirrored.policy[column], expected[3 - column], 1e-6);
  }
  // The opponent, who moved first, has stones at the bottom of columns 0 and 1; the mover one on top of column 0.
  CHECK(plain.planes == (std::vector<float>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0}));
  CHECK(mirrored.planes == (std::vector<float>{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}));
}

TEST(a_policy_that_does_not_fit_the_position_is_refused) {
  const auto game = load("connect_four", {2, 4, 3});
  const History history(*game);
  const std::vector<std::byte> states(history.current(), history.current() + game->state_size());
  const std::vector<std::uint16_t> policy(8, 1), nothing(8, 0);
  CHECK_THROWS(draw(*game, states, policy, {0, 0, 0, 3, 0}), std::invalid_argument, "4 legal actions");
  CHECK_THROWS(draw(*game, states, policy, {0, 0, 0, 0, 0}), std::invalid_argument, "4 legal actions");
  CHECK_THROWS(draw(*game, states, nothing, {0, 0, 0, 4, 0}), std::invalid_argument, "without a visit");
}
