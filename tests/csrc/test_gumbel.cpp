// Sequential halving and improved policies: the numbers of small cases by hand.
#include "check.hpp"
#include "search/gumbel.hpp"

using namespace rlplat;

// 4 actions, 16 simulations, 2 phases: 2 visits of each of 4, then 4 visits of each of 2.
TEST(the_better_half_gets_the_next_share_of_the_simulations) {
  CHECK_EQUAL(considered_visits(4, 16), (std::vector<std::int32_t>{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}));
}

TEST(too_few_simulations_visit_only_the_best) {
  CHECK_EQUAL(considered_visits(16, 3), (std::vector<std::int32_t>{0, 0, 0}));
  CHECK_EQUAL(considered_visits(1, 3), (std::vector<std::int32_t>{0, 1, 2}));
}

// Odd numbers are halved downwards: 3, then 2; a last phase goes on until the simulations are spent.
TEST(halving_ends_with_two_actions) {
  CHECK_EQUAL(considered_visits(3, 10), (std::vector<std::int32_t>{0, 0, 0, 1, 1, 2, 2, 3, 3, 4}));
}

// Priors .5 .3 .2, visits 2 1 0, values .4 -.2, network .1: the visited mean is (.5 * .4 + .3 * -.2) / .8 = .175, so
// the third is taken to be (.1 + 3 * .175) / 4 = .15625. From -.2 to .4 these are 1, 0, .59375; times (50 + 2) * .1.
TEST(unvisited_actions_take_the_mixed_value) {
  const std::vector priors{0.5f, 0.3f, 0.2f}, visits{2.0f, 1.0f, 0.0f}, q_values{0.4f, -0.2f, 0.0f};
  std::vector<float> scores(3), policy(3);
  completed_scores({priors, visits, q_values}, 0.1f, {}, scores);
  CHECK_NEAR(scores[0], 5.2, 1e-5);
  CHECK_NEAR(scores[1], 0.0, 1e-5);
  CHECK_NEAR(scores[2], 5.2 * 0.59375, 1e-5);
  improved_policy({priors, visits, q_values}, 0.1f, {}, policy);
  const double sum = 0.5 * std::exp(5.2) + 0.3 + 0.2 * std::exp(3.0875);
  CHECK_NEAR(policy[0], 0.5 * std::exp(5.2) / sum, 1e-6);
  CHECK_NEAR(policy[1], 0.3 / sum, 1e-6);
  CHECK_NEAR(policy[2], 0.2 * std::exp(3.0875) / sum, 1e-6);
}
