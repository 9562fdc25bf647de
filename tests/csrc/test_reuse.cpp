// What is kept of a tree when the root moves on, and the noise at every new root.
#include <algorithm>

#include "check.hpp"
#include "reference.hpp"
#include "search/batch_search.hpp"

using namespace rlplat;

namespace {

// A tree and its reference side by side, evaluated alike.
struct Pair {
  Pair(std::shared_ptr<const Game> rules, SearchParams search, int max_nodes)
      : game(std::move(rules)),
        params(search),
        exploration(params),
        max_nodes(max_nodes),
        history(*game),
        tree(*game, params, exploration, max_nodes),
        scratch(*game, params, exploration, max_nodes),
        reference(
            *game, params,
            [this](const History& line, std::vector<float>& priors) {
              return priors_and_value(line.current(), line.past(), priors);
            },
            History(*game)) {
    tree.set_root(history);
  }

  float priors_and_value(const void* state, RawPast past, std::vector<float>& priors) {
    std::vector<float> planes(game->observation_size()), logits(static_cast<std::size_t>(game->shape().num_actions));
    game->encode(state, past, planes.data());
    const float value = evaluate(*game, planes.data(), logits.data());
    float total = 0.0f;
    for (std::size_t i = 0; i < priors.size(); ++i) total += logits[i];
    for (std::size_t i = 0; i < priors.size(); ++i) priors[i] = logits[i] / total;
    return value;
  }

  void simulate(int count) {
    for (int i = 0; i < count; ++i) {
      reference.simulate();
      if (tree.select() == Tree::Leaf::kTerminal) continue;
      std::vector<float> priors(tree.leaf_actions().size());
      const float value = priors_and_value(tree.leaf_state(), tree.leaf_past(), priors);
      tree.expand(priors, value);
    }
    CHECK(tree.num_nodes() <= max_nodes);
  }

  // False: nothing was kept.
  bool advance(int action, float max_visits) {
    history.apply(action);
    if (tree.advance_root(action, max_visits, history, scratch)) {
      reference.advance(action);
      return true;
    }
    return false;
  }

  void check_equal() {
    ReferenceNode& root = reference.root();
    CHECK_EQUAL(tree.num_visits(), root.visits);
    CHECK_EQUAL(tree.root_value(), root.value);
    CHECK_EQUAL(tree.root_visits().size(), root.edges.size());
    for (std::size_t i = 0; i < root.edges.size(); ++i) {
      CHECK_EQUAL(tree.root_actions()[i], root.edges[i].action);
      CHECK_EQUAL(tree.root_priors()[i], root.edges[i].prior);
      CHECK_EQUAL(tree.root_visits()[i], root.edges[i].visits);
      CHECK_EQUAL(tree.root_q_values()[i], root.edges[i].q_value);
    }
  }

  int most_visited() const {
    const auto visits = tree.root_visits();
    return tree.root_actions()[static_cast<std::size_t>(std::ranges::max_element(visits) - visits.begin())];
  }

  std::shared_ptr<const Game> game;
  SearchParams params;
  Exploration exploration;
  int max_nodes;
  History history;
  Tree tree, scratch;
  Reference reference;
};

}  // namespace

TEST(a_new_root_keeps_the_statistics_of_the_subtree_below_it) {
  for (const int turns : {1, 2})
    for (const int width : {3, 9}) {
      const SearchParams params{.fpu = width == 9 ? Fpu::kConstant : Fpu::kReduction, .fpu_value = 0.1f};
      Pair pair(ladder(width, 12, turns, width == 9 ? 4 : -1), params, 5000);
      for (int move = 0; move < 6; ++move) {
        pair.simulate(150);
        pair.check_equal();
        int action = pair.most_visited();
        if (action == 4 && width == 9) action = 3;  // 4 would end the game
        if (!pair.advance(action, 1e9f)) break;
        pair.check_equal();
        if (move == 0 && width == 3) CHECK(pair.tree.num_visits() > 10.0f);
      }
    }
}

TEST(a_new_root_sees_its_value_from_its_own_player) {
  for (const int turns : {1, 2}) {
    const auto game = ladder(2, 9, turns);
    const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = -10.0f};
    const Exploration exploration(params);
    History history(*game);
    Tree tree(*game, params, exploration, 20), scratch(*game, params, exploration, 20);
    tree.set_root(history);
    tree.select();
    tree.expand(0.0f);
    tree.select();
    tree.expand(0.75f);  // after action 0, from the view of the player to move there
    history.apply(0);
    CHECK(tree.advance_root(0, 100.0f, history, scratch));
    CHECK_NEAR(tree.root_value(), 0.75, 1e-6);
    CHECK_EQUAL(tree.num_visits(), 1.0f);
  }
}

TEST(nothing_is_kept_of_an_unvisited_move_of_a_finished_game_or_beyond_the_limit) {
  const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = -10.0f};
  Pair pair(ladder(3, 9, 1, /*winning_move=*/2), params, 500);
  pair.simulate(100);
  const float visits = pair.tree.root_visits()[static_cast<std::size_t>(pair.most_visited())];
  CHECK(!pair.tree.advance_root(7, 1e9f, pair.history, pair.scratch));
  CHECK(!pair.tree.advance_root(2, 1e9f, pair.history, pair.scratch));
  CHECK(!pair.tree.advance_root(pair.most_visited(), visits - 1, pair.history, pair.scratch));
  pair.check_equal();
  CHECK(pair.advance(pair.most_visited(), visits));
  pair.check_equal();
}

TEST(a_leaf_that_waits_for_its_evaluation_is_no_obstacle_to_a_new_root) {
  const SearchParams params{.fpu = Fpu::kConstant, .fpu_value = -10.0f};  // one line, ever deeper
  Pair pair(ladder(3, 9), params, 500);
  pair.simulate(4);
  CHECK(pair.tree.select() == Tree::Leaf::kPending);
  CHECK(pair.advance(pair.most_visited(), 1e9f));
  CHECK_EQUAL(pair.tree.num_nodes(), 4);
  pair.check_equal();
}

TEST(nodes_stay_below_their_limit_in_a_long_game_of_forced_moves) {
  constexpr int kSimulations = 40, kKept = 120;
  const SearchParams params;
  Pair pair(ladder(1, 300), params, kSimulations + kKept + 2);
  int afresh = 0;
  for (int move = 0; move < 250; ++move) {
    pair.simulate(kSimulations + !pair.tree.root_expanded());
    if (pair.advance(0, kKept)) continue;
    ++afresh;
    pair.tree.set_root(pair.history);
    pair.reference.advance(0);
    pair.reference.root() = ReferenceNode();
  }
  CHECK(afresh > 50);
  CHECK(afresh < 100);
}

TEST(root_noise_is_the_mixture_with_one_draw_and_stays_at_the_root) {
  const SearchParams params{.dirichlet_alpha = 0.3f, .noise_fraction = 0.25f};
  Pair pair(ladder(9, 12), params, 5000);
  pair.simulate(1);
  Random random(4);
  for (int move = 0; move < 4; ++move) {
    const std::vector<float> clean = pair.tree.root_priors();
    std::vector<float> network(clean.size());
    pair.priors_and_value(pair.history.current(), pair.history.past(), network);
    CHECK_EQUAL(clean, network);  // nothing of the noise of earlier roots
    Random same = random;
    std::vector<float> eta(clean.size());
    same.dirichlet(0.3, eta);
    pair.tree.add_root_noise(random);
    CHECK_EQUAL(random.state(), same.state());
    float total = 0.0f;
    for (std::size_t i = 0; i < clean.size(); ++i) {
      CHECK_NEAR(pair.tree.root_priors()[i] - clean[i], 0.25f * (eta[i] - clean[i]), 1e-6);
      total += pair.tree.root_priors()[i];
      if (pair.reference.root().expanded) pair.reference.root().edges[i].prior = pair.tree.root_priors()[i];
    }
    CHECK_NEAR(total, 1.0, 1e-5);
    pair.simulate(300);
    CHECK(pair.advance(pair.most_visited(), 1e9f));
  }
}

namespace {

// Searches that move on with reuse, as self-play does; the priors of every root are written down.
class Roots : public BatchSearch {
 public:
  static constexpr std::size_t kMoves = 5;

  Roots(std::shared_ptr<const Game> game, const SearchParams& search, const BatchParams& batch)
      : BatchSearch(std::move(game), search, batch), priors(searches().size()), kept(searches().size()) {}

  std::vector<std::vector<std::vector<float>>> priors;  // [search][move][action]
  std::vector<float> kept;                              // visits below the present root that came with it
  float most_kept = 0.0f;

 private:
  bool start_next(Search& search) override {
    if (search.history.num_moves() > 0) return false;
    search.random = Random::stream(1, static_cast<std::uint64_t>(search.index));
    start_search(search);
    return true;
  }

  std::string describe(const Search& search) const override { return "search " + std::to_string(search.index); }

  void finish(Search& search, int worker) override {
    const auto index = static_cast<std::size_t>(search.index);
    const Tree& tree = search.tree;
    priors[index].push_back(tree.root_priors());
    float total = 0.0f;
    for (const float visits : tree.root_visits()) total += visits;
    CHECK_EQUAL(total, tree.num_visits() - 1.0f);  // the root's own evaluation went through no edge
    CHECK_EQUAL(total, kept[index] + static_cast<float>(search_params().num_simulations));
    const auto edge = std::ranges::max_element(tree.root_visits()) - tree.root_visits().begin();
    const int action = tree.root_actions()[static_cast<std::size_t>(edge)];
    search.history.apply(action);
    if (priors[index].size() == kMoves) return;
    continue_search(search, action, worker);
    kept[index] = tree.root_expanded() ? tree.num_visits() - 1.0f : 0.0f;
    most_kept = std::max(most_kept, kept[index]);
  }
};

}  // namespace

TEST(root_visits_are_those_kept_and_the_simulations_and_no_two_roots_share_their_noise) {
  const SearchParams params{.num_simulations = 60, .dirichlet_alpha = 0.5f, .noise_fraction = 0.25f};
  for (const int kept_visits : {0, 180}) {
    constexpr int kSearches = 6, kWidth = 6;
    Roots roots(ladder(kWidth, 20), params,
                {.evaluator = EvaluatorKind::kUniform, .num_searches = kSearches, .kept_visits = kept_visits});
    float none[2 * kSearches];
    CHECK_EQUAL(roots.select(0, none), 0);
    CHECK_EQUAL(roots.most_kept > 0.0f, kept_visits > 0);
    std::vector<std::vector<float>> noises;
    for (const auto& list : roots.priors) {
      CHECK_EQUAL(list.size(), Roots::kMoves);
      for (const auto& priors : list) {
        std::vector<float> eta;
        float total = 0.0f;
        for (const float prior : priors) {
          eta.push_back((prior - 0.75f / kWidth) / 0.25f);
          total += eta.back();
          CHECK(eta.back() >= -1e-6f);
        }
        CHECK_NEAR(total, 1.0, 1e-5);
        noises.push_back(eta);
      }
    }
    for (std::size_t i = 0; i < noises.size(); ++i)
      for (std::size_t k = 0; k < i; ++k) CHECK(noises[i] != noises[k]);
  }
}
