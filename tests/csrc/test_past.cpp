// Rules that look back. The Walk games check every past they are given and end the process if one is wrong.
#include <array>

#include "check.hpp"
#include "data/draw.hpp"
#include "reference.hpp"
#include "search/analysis.hpp"

using namespace rlplat;

namespace {

constexpr std::array kWalks{"walk_all", "walk_three"};
constexpr int kSteps = 5;

// A random line of play that does not end the game.
History wander(const Game& game, int plies, std::uint64_t seed) {
  Random random(seed);
  History history(game);
  while (history.num_moves() < plies) {
    std::int32_t legal[kSteps];
    const int count = game.legal_actions(history.current(), history.past(), legal);
    History after = history;
    after.apply(legal[random.below(static_cast<std::uint32_t>(count))]);
    float returns[2];
    if (game.outcome(after.current(), after.past(), returns)) return history;
    history = after;
  }
  return history;
}

}  // namespace

TEST(a_history_gives_the_earlier_states_newest_first) {
  for (const char* name : kWalks) {
    const auto game = load(name, {30, 20, 0});
    const History history = play(*game, {0, 1, 2, 3, 4, 0, 1});
    for (int index = 0; index <= history.num_moves(); ++index) {
      const RawPast past = history.past_of(index);
      CHECK_EQUAL(past.length, game->shape().past_length < 0 ? index : std::min(index, 3));
      for (int age = 0; age < past.length; ++age) CHECK(past.states[age] == history.state(index - 1 - age));
    }
  }
}

TEST(the_past_is_right_along_the_descent_and_after_every_new_root) {
  for (const auto& [name, prove] : {std::pair{kWalks[0], false}, {kWalks[1], false}, {kWalks[0], true}}) {
    const auto game = load(name, {14, 30, 0});
    const SearchParams params{.prove = prove};
    const Exploration exploration(params);
    History history = wander(*game, 4, 3);
    Tree tree(*game, params, exploration, 3000), scratch(*game, params, exploration, 3000);
    tree.set_root(history);
    std::vector<float> planes(game->observation_size());
    float returns[2];
    while (!game->outcome(history.current(), history.past(), returns)) {
      for (int i = 0; i < 200 && !tree.root_proven(); ++i) {
        if (tree.select() == Tree::Leaf::kTerminal) continue;
        game->encode(tree.leaf_state(), tree.leaf_past(), planes.data());
        game->evaluation_key(tree.leaf_state(), tree.leaf_past());
        std::int32_t legal[kSteps];
        const int count = game->legal_actions(tree.leaf_state(), tree.leaf_past(), legal);
        CHECK(std::ranges::equal(tree.leaf_actions(), std::span(legal, static_cast<std::size_t>(count))));
        tree.expand(0.0f);
      }
      const auto visits = tree.root_visits();
      const auto best = std::ranges::max_element(visits) - visits.begin();
      const int action = tree.root_actions()[static_cast<std::size_t>(best)];
      history.apply(action);
      if (history.num_moves() % 3 == 0 || !tree.advance_root(action, 1000, history, scratch)) tree.set_root(history);
    }
    CHECK(history.num_moves() >= 8);
  }
}

TEST(a_search_of_rules_that_look_back_equals_the_reference) {
  for (const char* name : kWalks) {
    const auto game = load(name, {9, 12, 0});
    const History start = wander(*game, 3, 8);
    const SearchParams params;
    const Exploration exploration(params);
    Reference reference(
        *game, params,
        [](const History&, std::vector<float>& priors) {
          for (float& prior : priors) prior = 1.0f / static_cast<float>(priors.size());
          return 0.0f;
        },
        start);
    Tree tree(*game, params, exploration, 1001);
    tree.set_root(start);
    for (int i = 0; i < 1000; ++i) {
      reference.simulate();
      if (tree.select() == Tree::Leaf::kPending) tree.expand(0.0f);
    }
    for (std::size_t i = 0; i < tree.root_visits().size(); ++i) {
      CHECK_EQUAL(tree.root_visits()[i], reference.root().edges[i].visits);
      CHECK_EQUAL(tree.root_q_values()[i], reference.root().edges[i].q_value);
    }
    CHECK_EQUAL(tree.root_value(), reference.root().value);
  }
}

TEST(rollouts_see_the_past_that_the_rules_ask_for) {
  for (const char* name : kWalks) {
    const auto game = load(name, {12, 25, 0});
    Random random(6);
    float total = 0.0f;
    for (int i = 0; i < 300; ++i) {
      const History history = wander(*game, i % 6, static_cast<std::uint64_t>(i));
      const float result = game->rollout(history.current(), history.past(), random);
      CHECK(result == 1.0f || result == 0.0f || result == -1.0f);
      total += std::abs(result);
    }
    CHECK_EQUAL(total > 0.0f, game->shape().past_length < 0);  // three visited cells leave a way out of five
  }
}

TEST(a_rollout_search_gives_rollouts_the_past_through_the_tree) {
  for (const char* name : kWalks) {
    const auto game = load(name, {12, 25, 0});
    std::vector<History> positions;
    for (int plies = 0; plies < 7; ++plies) positions.push_back(wander(*game, plies, 5));
    Analysis analysis(game, {.num_simulations = 100},
                      {.evaluator = EvaluatorKind::kRollout, .num_searches = 3, .num_threads = 2}, positions, 1);
    std::vector<float> none(3 * game->observation_size());
    while (!analysis.done()) CHECK_EQUAL(analysis.select(0, none.data()), 0);
    for (const Analysis::Result& result : analysis.results()) {
      float total = 0.0f;
      for (const float visits : result.visits) total += visits;
      CHECK_EQUAL(total, 100.0f);
    }
  }
}

TEST(stored_positions_are_drawn_with_their_past_also_around_the_end_of_the_ring) {
  for (const char* name : kWalks) {
    const auto game = load(name, {20, 30, 0});
    const History history = play(*game, {0, 4, 1, 3, 2, 0, 1});
    const int length = history.num_moves() + 1;
    for (int capacity = length; capacity < length + 5; ++capacity)
      for (int begin = 0; begin < capacity; ++begin) {
        std::vector<std::byte> ring(static_cast<std::size_t>(capacity) * game->state_size(), std::byte{0xAB});
        for (int ply = 0; ply < length; ++ply)
          std::copy_n(history.state(ply), game->state_size(),
                      ring.begin() + static_cast<std::ptrdiff_t>((begin + ply) % capacity) *
                                         static_cast<std::ptrdiff_t>(game->state_size()));
        for (int ply = 0; ply < length; ++ply) {
          std::int32_t legal[kSteps];
          const int count = game->legal_actions(history.state(ply), history.past_of(ply), legal);
          std::vector<std::uint16_t> policy(7, 0);
          const int offset = (begin + ply) % 7;
          for (int i = 0; i < count; ++i)
            policy[static_cast<std::size_t>((offset + i) % 7)] = static_cast<std::uint16_t>(1 + i);
          std::vector<float> planes(game->observation_size(), -1.0f), expected(game->observation_size());
          float drawn[kSteps];
          bool allowed[kSteps];
          draw_position(*game, {ring.data(), capacity, policy.data(), 7},
                        {.row = (begin + ply) % capacity,
                         .plies = ply,
                         .policy_offset = offset,
                         .num_legal = count,
                         .symmetry = 0},
                        planes.data(), drawn, allowed);
          game->encode(history.state(ply), history.past_of(ply), expected.data());
          CHECK(planes == expected);
          for (int action = 0, i = 0; action < kSteps; ++action) {
            const bool is_legal = i < count && legal[i] == action;
            CHECK_EQUAL(allowed[action], is_legal);
            CHECK_NEAR(drawn[action], is_legal ? 2.0 * (1 + i) / (count * (count + 1)) : 0.0, 1e-6);
            i += is_legal;
          }
        }
      }
  }
}
