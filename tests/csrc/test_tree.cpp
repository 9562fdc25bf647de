// One search tree: the numbers of a small one by hand, larger ones against the reference.
#include "check.hpp"
#include "reference.hpp"

using namespace rlplat;

namespace {

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

float sum(std::span<const float> values) {
  float total = 0.0f;
  for (const float value : values) total += value;
  return total;
}

// The tree of the hand-computed tests: root (priors .6 .4, value .1), whose action 0 leads to a position of value -.5
// for its player, so .5 for the root's. N = 2 at the root, mean value .3. With c_base 10 and c_init 1.25,
//     c(2) = ln(13 / 10) + 1.25 = 1.5123643, c(2) sqrt(2) = 2.1388061,
//     score(0) = .5 + .6 * 2.1388061 / 2 = 1.1416418, score(1) = first-play urgency + .4 * 2.1388061.
// Action 1 is chosen when the urgency is above .2861194.
struct HandTree {
  explicit HandTree(SearchParams search)
      : game(ladder(2, 3)), params(search), exploration(params), history(*game), tree(*game, params, exploration, 16) {
    tree.set_root(history);
    CHECK(tree.select() == Tree::Leaf::kPending && tree.leaf_is_root());
    tree.expand(std::vector{0.6f, 0.4f}, 0.1f);
    CHECK(tree.select() == Tree::Leaf::kPending && !tree.leaf_is_root());
    CHECK_EQUAL(tree.leaf_player(), 1);
    tree.expand(std::vector{0.5f, 0.5f}, -0.5f);
  }

  // The root's action that the next simulation takes.
  int next() {
    const auto before = copy(tree.root_visits());
    if (tree.select() == Tree::Leaf::kPending) tree.expand(0.0f);
    return tree.root_visits()[0] > before[0] ? 0 : 1;
  }

  std::shared_ptr<const Game> game;
  SearchParams params;
  Exploration exploration;
  History history;
  Tree tree;
};

SearchParams hand_params(Fpu fpu, float fpu_value) {
  return {.c_base = 10.0f, .c_init = 1.25f, .fpu = fpu, .fpu_value = fpu_value};
}

}  // namespace

TEST(exploration_is_the_formula_of_the_paper_at_every_count) {
  const SearchParams params{.c_base = 19652.0f, .c_init = 1.25f};
  const Exploration exploration(params);
  for (const int n : {0, 1, 2, 100, 1023, 1024, 1025, 50'000})
    CHECK_NEAR(exploration(static_cast<float>(n)), (std::log((1.0 + n + 19652.0) / 19652.0) + 1.25) * std::sqrt(n),
               1e-5 * std::sqrt(n) * 10);
}

TEST(the_root_of_three_nodes_has_the_values_computed_by_hand) {
  HandTree hand(hand_params(Fpu::kConstant, 0.2862f));
  CHECK_EQUAL(copy(hand.tree.root_visits()), (std::vector{1.0f, 0.0f}));
  CHECK_NEAR(hand.tree.root_q_values()[0], 0.5, 1e-6);
  CHECK_NEAR(hand.tree.root_value(), 0.3, 1e-6);
  CHECK_EQUAL(hand.tree.num_visits(), 2.0f);
  CHECK_EQUAL(hand.tree.num_nodes(), 2);
  CHECK(hand.tree.select() == Tree::Leaf::kPending);
  hand.tree.expand(std::vector{0.5f, 0.5f}, 0.25f);  // after action 1, for the opponent
  CHECK_EQUAL(copy(hand.tree.root_visits()), (std::vector{1.0f, 1.0f}));
  CHECK_NEAR(hand.tree.root_q_values()[1], -0.25, 1e-6);
  CHECK_NEAR(hand.tree.root_value(), (0.1 + 0.5 - 0.25) / 3, 1e-6);
  CHECK_EQUAL(hand.tree.num_nodes(), 3);
  CHECK_EQUAL(hand.tree.principal_variation(), (std::vector<std::int32_t>{0}));
}

TEST(constant_urgency_decides_at_the_score_computed_by_hand) {
  CHECK_EQUAL(HandTree(hand_params(Fpu::kConstant, 0.2860f)).next(), 0);
  CHECK_EQUAL(HandTree(hand_params(Fpu::kConstant, 0.2862f)).next(), 1);
}

// .3 - r sqrt(.6) is above .2861194 for r below .0179198.
TEST(urgency_by_reduction_decides_at_the_score_computed_by_hand) {
  CHECK_EQUAL(HandTree(hand_params(Fpu::kReduction, 0.0178f)).next(), 1);
  CHECK_EQUAL(HandTree(hand_params(Fpu::kReduction, 0.0180f)).next(), 0);
}

TEST(values_change_sign_with_the_player_only) {
  const auto game = ladder(2, 9, /*turns=*/2);                            // players 0 0 1 1 0 0 ...
  const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = -10.0f};  // what was visited is visited again
  const Exploration exploration(params);
  const History history(*game);
  Tree tree(*game, params, exploration, 16);
  tree.set_root(history);
  const std::vector priors{1.0f, 0.0f};
  tree.select();
  tree.expand(priors, 0.0f);
  tree.select();
  CHECK_EQUAL(tree.leaf_player(), 0);
  tree.expand(priors, 0.3f);
  CHECK_NEAR(tree.root_q_values()[0], 0.3, 1e-6);
  tree.select();
  CHECK_EQUAL(tree.leaf_player(), 1);
  tree.expand(priors, 0.5f);
  CHECK_NEAR(tree.root_q_values()[0], (0.3 - 0.5) / 2, 1e-6);
  tree.select();
  CHECK_EQUAL(tree.leaf_player(), 1);
  tree.expand(priors, 0.2f);
  CHECK_NEAR(tree.root_q_values()[0], (0.3 - 0.5 - 0.2) / 3, 1e-6);
  CHECK_NEAR(tree.root_value(), (0.0 + 0.3 - 0.5 - 0.2) / 4, 1e-6);
}

TEST(a_won_move_has_the_value_one_whatever_the_network_says) {
  for (const double turns : {1, 2}) {
    const auto game = ladder(3, 9, turns, /*winning_move=*/2);
    const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = 0.0f};
    const Exploration exploration(params);
    const History history = play(*game, {0});
    Tree tree(*game, params, exploration, 300);
    tree.set_root(history);
    for (int i = 0; i < 201; ++i)
      if (tree.select() == Tree::Leaf::kPending) tree.expand(-0.9f);
    CHECK_EQUAL(tree.root_q_values()[2], 1.0f);
    CHECK(tree.root_visits()[2] > 150.0f);
    CHECK_EQUAL(tree.principal_variation(), (std::vector<std::int32_t>{2}));
  }
}

TEST(padding_is_never_chosen_even_if_every_move_loses) {
  for (const int width : {1, 7, 8, 9, 17}) {
    const auto game = ladder(width, 400);
    const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = -1e30f};
    const Exploration exploration(params);
    const History history(*game);
    Tree tree(*game, params, exploration, 302);
    tree.set_root(history);
    std::vector<float> priors(static_cast<std::size_t>(width), 0.0f);
    priors.back() = 1.0f;
    for (int i = 0; i < 301; ++i) {
      CHECK(tree.select() == Tree::Leaf::kPending);
      for (const std::int32_t action : tree.leaf_actions()) CHECK(action >= 0 && action < width);
      tree.expand(priors, tree.leaf_player() == 0 ? -1.0f : 1.0f);  // player 0 always loses
    }
    CHECK_EQUAL(tree.root_visits().size(), static_cast<std::size_t>(width));
    CHECK_EQUAL(sum(tree.root_visits()), 300.0f);
    CHECK_NEAR(tree.root_value(), -1.0, 1e-6);
  }
}

TEST(equal_scores_go_to_the_lowest_action) {
  const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = 0.0f};
  const Exploration exploration(params);
  const auto game = ladder(17, 9);
  const History history(*game);
  for (const auto& best : std::vector<std::vector<int>>{{3, 11}, {1, 8}, {0, 16}, {7, 8}, {15, 16}, {2, 5, 10, 13}}) {
    Tree tree(*game, params, exploration, 64);
    tree.set_root(history);
    std::vector<float> priors(17, 0.01f);
    for (const int action : best) priors[static_cast<std::size_t>(action)] = 0.2f;
    tree.select();
    tree.expand(priors, 0.0f);
    for (std::size_t i = 0; i < best.size(); ++i) {
      tree.select();
      tree.expand(priors, 0.0f);  // a draw keeps the others ahead of it
      for (std::size_t k = 0; k < best.size(); ++k)
        CHECK_EQUAL(tree.root_visits()[static_cast<std::size_t>(best[k])], k <= i ? 1.0f : 0.0f);
    }
  }
}

TEST(a_search_equals_the_reference_implementation_bit_by_bit) {
  for (const Fpu fpu : {Fpu::kConstant, Fpu::kReduction})
    for (const int turns : {1, 2})
      for (const int width : {1, 2, 7, 8, 9, 17}) {
        const auto game = ladder(width, 6, turns, width > 2 ? 1 : -1);
        const SearchParams params{.c_base = 100.0f, .c_init = 1.5f, .fpu = fpu, .fpu_value = 0.2f};
        const Exploration exploration(params);
        const auto evaluate_here = [&](const Game& rules, const void* state, std::vector<float>& priors) {
          float planes[2], logits[64];
          rules.encode(state, {nullptr, 0}, planes);
          const float value = evaluate(rules, planes, logits);
          float total = 0.0f;
          for (std::size_t i = 0; i < priors.size(); ++i) total += logits[i];
          for (std::size_t i = 0; i < priors.size(); ++i) priors[i] = logits[i] / total;
          return value;
        };
        Reference reference(
            *game, params,
            [&](const History& history, std::vector<float>& priors) {
              return evaluate_here(*game, history.current(), priors);
            },
            History(*game));
        const History history(*game);
        Tree tree(*game, params, exploration, 500);
        tree.set_root(history);
        for (int i = 0; i < 400; ++i) {
          reference.simulate();
          if (tree.select() == Tree::Leaf::kTerminal) continue;
          std::vector<float> priors(static_cast<std::size_t>(width));
          const float value = evaluate_here(*game, tree.leaf_state(), priors);
          tree.expand(priors, value);
        }
        CHECK_EQUAL(tree.root_value(), reference.root().value);
        for (std::size_t i = 0; i < tree.root_visits().size(); ++i) {
          CHECK_EQUAL(tree.root_actions()[i], reference.root().edges[i].action);
          CHECK_EQUAL(tree.root_visits()[i], reference.root().edges[i].visits);
          CHECK_EQUAL(tree.root_q_values()[i], reference.root().edges[i].q_value);
        }
      }
}
