// What self-play does at the root: temperature, shaped noise, forced playouts and what is pruned of them again.
#include <algorithm>
#include <cstring>

#include "check.hpp"
#include "games.hpp"
#include "search/tree.hpp"

using namespace rlplat;

namespace {

// A tree whose root has given priors. Every position below it is worth `values[a]` to the root's player, where a is
// the root's action that leads there.
struct Bandit {
  Bandit(SearchParams search, std::vector<float> root_priors, std::vector<float> action_values)
      : game(ladder(static_cast<double>(root_priors.size()), 500, 2)),
        params(search),
        exploration(params),
        history(*game),
        priors(std::move(root_priors)),
        values(std::move(action_values)),
        tree(*game, params, exploration, 2000) {
    start();
  }

  void start() {
    tree.set_root(history);
    tree.select();
    tree.expand(priors, 0.0f);
  }

  // Below the root only action 0 has a prior, and others look lost: so the sum of the moves is the root's action.
  void simulate(int count) {
    std::vector<float> first(priors.size(), 0.0f);
    first[0] = 1.0f;
    for (int i = 0; i < count; ++i) {
      CHECK(tree.select() == Tree::Leaf::kPending);
      std::int32_t ply_and_sum[2];
      std::memcpy(ply_and_sum, tree.leaf_state(), sizeof ply_and_sum);
      const float value = values[static_cast<std::size_t>(ply_and_sum[1])];
      tree.expand(first, tree.leaf_player() == 0 ? value : -value);
    }
  }

  std::shared_ptr<const Game> game;
  SearchParams params;
  Exploration exploration;
  History history;
  std::vector<float> priors, values;
  Tree tree;
};

constexpr SearchParams kForced{.fpu = Fpu::kConstant, .fpu_value = -1.0f, .forced_playouts = 2.0f};

}  // namespace

// sqrt(.64) = .8 and sqrt(.36) = .6 are 4/7 and 3/7 of their sum.
TEST(a_temperature_of_two_takes_the_root_of_the_priors) {
  Bandit bandit({.root_temperature = 2.0f}, {0.64f, 0.36f}, {0.0f, 0.0f});
  Random random(1);
  bandit.tree.prepare_root(10, false, random);
  CHECK_NEAR(bandit.tree.root_priors()[0], 0.64, 1e-6);
  bandit.tree.prepare_root(10, true, random);
  CHECK_NEAR(bandit.tree.root_priors()[0], 4.0 / 7.0, 1e-6);
  CHECK_NEAR(bandit.tree.root_priors()[1], 3.0 / 7.0, 1e-6);
}

// Logarithms of at most .01: -4.6052 -4.6052 -5.2983 -5.5215 -6.9078, mean -5.3876; above it by .7824 .7824 .0893 0 0.
// Half of the concentration is even, so the noise is on average .1 + .5 * .7824 / 1.6541 = .3365 for the first two.
TEST(shaped_noise_goes_to_the_higher_priors_half_of_it) {
  SearchParams params{.dirichlet_alpha = 0.4f, .noise_fraction = 1.0f, .shaped_noise = true};
  Bandit bandit(params, {0.9f, 0.09f, 0.005f, 0.004f, 0.001f}, std::vector<float>(5, 0.0f));
  Random random(7);
  std::vector<double> mean(5);
  constexpr int kDraws = 20000;
  for (int draw = 0; draw < kDraws; ++draw) {
    bandit.start();
    bandit.tree.add_root_noise(random);
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += bandit.tree.root_priors()[i] / kDraws;
  }
  const double expected[] = {0.3365, 0.3365, 0.1270, 0.1, 0.1};
  for (std::size_t i = 0; i < mean.size(); ++i) CHECK_NEAR(mean[i], expected[i], 0.012);
}

TEST(every_visited_action_gets_its_forced_playouts_in_self_play_only) {
  Random random(1);
  for (const bool explore : {true, false}) {
    Bandit bandit(kForced, {0.6f, 0.3f, 0.1f}, {0.9f, -0.9f, -0.9f});
    bandit.tree.prepare_root(400, explore, random);
    bandit.simulate(400);
    const auto visits = bandit.tree.root_visits();
    for (std::size_t i = 1; i < 3; ++i) {
      const float forced = std::sqrt(2.0f * bandit.priors[i] * 400.0f);
      if (explore) CHECK(visits[i] >= std::floor(forced));
      else CHECK(visits[i] < std::floor(forced));
    }
  }
}

// What is left of a bad action is what its score would have earned: one visit fewer, and it would be chosen before the
// best one; but no more is taken off than was forced.
TEST(pruning_leaves_the_visits_that_the_score_has_earned) {
  Random random(1);
  Bandit bandit(kForced, {0.5f, 0.25f, 0.15f, 0.1f}, {0.3f, 0.1f, -0.9f, -0.9f});
  bandit.tree.prepare_root(300, true, random);
  bandit.simulate(300);
  const auto visits = bandit.tree.root_visits(), q_values = bandit.tree.root_q_values();
  const std::vector<float> counts = bandit.tree.root_counts();
  const double scale = bandit.exploration(301.0f);
  const auto score = [&](std::size_t i, double count) {
    return q_values[i] + bandit.priors[i] * scale / (1.0 + count);
  };
  CHECK_EQUAL(counts[0], visits[0]);
  const double best = score(0, visits[0]);
  int num_pruned = 0;
  for (std::size_t i = 1; i < 4; ++i) {
    const double forced = std::floor(std::sqrt(2.0 * bandit.priors[i] * 300.0));
    num_pruned += counts[i] < visits[i];
    CHECK(counts[i] == 0.0f || counts[i] >= visits[i] - forced);
    CHECK(counts[i] == visits[i] || score(i, std::max(counts[i], 1.0f)) < best);
    if (counts[i] > visits[i] - forced && counts[i] > 1.0f) CHECK(score(i, counts[i] - 1.0) >= best);
  }
  CHECK(num_pruned >= 2);
}

TEST(without_forced_playouts_all_visits_count) {
  Random random(1);
  Bandit bandit({.fpu = Fpu::kConstant, .fpu_value = -1.0f}, {0.6f, 0.3f, 0.1f}, {0.9f, -0.9f, -0.9f});
  bandit.tree.prepare_root(100, true, random);
  bandit.simulate(100);
  const auto visits = bandit.tree.root_visits();
  CHECK_EQUAL(bandit.tree.root_counts(), (std::vector<float>(visits.begin(), visits.end())));
}
