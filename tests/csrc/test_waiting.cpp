// Several leaves of one tree that wait together, and the choice of the move by confidence bounds.
#include <cstring>

#include "check.hpp"
#include "games.hpp"
#include "search/tree.hpp"

using namespace rlplat;

namespace {

struct Evaluated {
  std::vector<float> priors;
  float value;
};

// By the state alone.
Evaluated look(const Game& game, const void* state) {
  float planes[2], logits[64];
  game.encode(state, {nullptr, 0}, planes);
  Evaluated found{std::vector<float>(static_cast<std::size_t>(game.shape().num_actions)), 0.0f};
  found.value = evaluate(game, planes, logits);
  float total = 0.0f;
  for (std::size_t i = 0; i < found.priors.size(); ++i) total += logits[i];
  for (std::size_t i = 0; i < found.priors.size(); ++i) found.priors[i] = logits[i] / total;
  return found;
}

void expand(const Game& game, Tree& tree) {
  const Evaluated found = look(game, tree.leaf_state());
  tree.expand(found.priors, found.value);
}

// Sets aside at most `most` leaves; how many.
int gather(Tree& tree, int most) {
  while (tree.num_set_aside() < most)
    if (tree.select() == Tree::Leaf::kPending && !tree.set_aside()) break;
  return tree.num_set_aside();
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

}  // namespace

TEST(one_leaf_at_a_time_is_the_plain_search_bit_by_bit) {
  const auto game = ladder(5, 4, 1, 3);
  const SearchParams params{.prove = true};
  const Exploration exploration(params);
  const History history(*game);
  Tree plain(*game, params, exploration, 500), tree(*game, params, exploration, 500);
  for (Tree* each : {&plain, &tree}) each->set_root(history);
  for (int i = 0; i < 200 && !plain.root_proven(); ++i) {
    if (plain.select() == Tree::Leaf::kPending) expand(*game, plain);
    if (tree.select() != Tree::Leaf::kPending) continue;
    CHECK(tree.set_aside());
    tree.end_waiting();
    tree.take_up(0);
    expand(*game, tree);
  }
  CHECK_EQUAL(copy(plain.root_visits()), copy(tree.root_visits()));
  CHECK_EQUAL(copy(plain.root_q_values()), copy(tree.root_q_values()));
  CHECK_EQUAL(plain.root_value(), tree.root_value());
}

TEST(leaves_that_wait_differ_and_leave_no_trace_when_they_are_dropped) {
  const auto game = ladder(6, 9);
  const SearchParams params;
  const Exploration exploration(params);
  const History history(*game);
  Tree tree(*game, params, exploration, 500);
  tree.set_root(history);
  for (int i = 0; i < 40; ++i)
    if (tree.select() == Tree::Leaf::kPending) expand(*game, tree);
  const auto visits = copy(tree.root_visits()), q_values = copy(tree.root_q_values());
  CHECK_EQUAL(gather(tree, 8), 8);
  CHECK(copy(tree.root_visits()) != visits);
  std::vector<const void*> leaves;
  for (int i = 0; i < 8; ++i) {
    tree.take_up(i);
    for (const void* other : leaves) CHECK(other != tree.leaf_state());
    leaves.push_back(tree.leaf_state());
  }
  tree.end_waiting();
  CHECK_EQUAL(copy(tree.root_visits()), visits);
  CHECK_EQUAL(copy(tree.root_q_values()), q_values);
  CHECK_EQUAL(tree.num_set_aside(), 0);
}

TEST(a_leaf_is_not_set_aside_twice) {
  const auto game = ladder(3, 9);
  const SearchParams params;
  const Exploration exploration(params);
  const History history(*game);
  Tree tree(*game, params, exploration, 50);
  tree.set_root(history);
  CHECK(tree.select() == Tree::Leaf::kPending && tree.set_aside());
  CHECK(tree.select() == Tree::Leaf::kPending && !tree.set_aside());  // the root again
}

// The root's value is the mean over its own evaluation and its edges' visits: only if virtual visits and losses never
// enter a mean. Finished games are met while others wait.
TEST(means_hold_evaluations_only) {
  for (const int length : {3, 4, 9})
    for (const int most : {2, 4, 16}) {
      const auto game = ladder(5, length);
      const SearchParams params;
      const Exploration exploration(params);
      const History history(*game);
      Tree tree(*game, params, exploration, 4000);
      tree.set_root(history);
      tree.select();
      expand(*game, tree);
      const double own = tree.root_value();
      while (tree.num_visits() < 300.0f) {
        const int waiting = gather(tree, most);
        tree.end_waiting();
        for (int i = 0; i < waiting; ++i) {
          tree.take_up(i);
          expand(*game, tree);
        }
      }
      double sum = own, visits = 1.0;
      for (std::size_t i = 0; i < 5; ++i) {
        sum += static_cast<double>(tree.root_visits()[i]) * tree.root_q_values()[i];
        visits += tree.root_visits()[i];
      }
      CHECK_EQUAL(visits, tree.num_visits());
      CHECK_NEAR(tree.root_value(), sum / visits, 1e-4);
    }
}

// Action 0 is worth 1 and -.2 in turn, action 1 always .35: the first is visited more, the second is the surer one.
TEST(the_move_of_the_highest_confidence_bound_is_played) {
  for (const float deviations : {0.0f, 5.0f}) {
    const auto game = ladder(2, 500, 2);
    const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = -1.0f, .lcb_deviations = deviations};
    const Exploration exploration(params);
    const History history(*game);
    Tree tree(*game, params, exploration, 500);
    tree.set_root(history);
    tree.select();
    tree.expand(std::vector{0.6f, 0.4f}, 0.0f);
    std::vector<double> values;  // of action 0
    for (int i = 0; i < 60; ++i) {
      CHECK(tree.select() == Tree::Leaf::kPending);
      std::int32_t ply_and_sum[2];
      std::memcpy(ply_and_sum, tree.leaf_state(), sizeof ply_and_sum);
      float value = 0.35f;
      if (ply_and_sum[1] == 0) values.push_back(value = values.size() % 2 == 0 ? 1.0f : -0.2f);
      tree.expand(std::vector{1.0f, 0.0f}, tree.leaf_player() == 0 ? value : -value);
    }
    double mean = 0.0, squares = 0.0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    for (const double value : values) squares += (value - mean) * (value - mean);
    const double n = static_cast<double>(values.size()), error = std::sqrt(squares / (n - 1.0) / n);
    CHECK(tree.root_visits()[0] > tree.root_visits()[1] && tree.root_visits()[1] > 0.15f * tree.root_visits()[0]);
    CHECK(mean > 0.35 && mean - 5.0 * error < 0.35);
    CHECK_EQUAL(tree.best_edge(), deviations > 0.0f ? 1 : 0);
  }
}
