// Searches of many positions at once are those of one position at a time.
#include <set>

#include "check.hpp"
#include "games.hpp"
#include "search/analysis.hpp"

using namespace rlplat;

namespace {

std::vector<History> positions_of(const Game& game, int count) {
  std::vector<History> positions;
  for (int p = 0; p < count; ++p) {
    History history(game);
    Random random = Random::stream(3, static_cast<std::uint64_t>(p));
    std::vector<std::int32_t> legal(static_cast<std::size_t>(game.shape().max_legal_actions));
    for (int ply = 0; ply < p % 6; ++ply) {
      const int actions = game.legal_actions(history.current(), history.past(), legal.data());
      history.apply(legal[random.below(static_cast<std::uint32_t>(actions))]);
    }
    positions.push_back(history);
  }
  return positions;
}

struct Run {
  std::vector<Analysis::Result> results;
  Counters counters;
};

// Evaluates row by row with the fake network; checks that rows are leaves of the searches in ascending order.
Run run(std::shared_ptr<const Game> game, const SearchParams& params, const BatchParams& batch,
        const std::vector<History>& positions, std::uint64_t seed = 9) {
  Analysis analysis(game, params, batch, positions, seed);
  const auto rows_at_most = static_cast<std::size_t>(analysis.searches_per_group());
  const auto actions = static_cast<std::size_t>(game->shape().num_actions);
  std::vector<float> observations(rows_at_most * game->observation_size()), logits(rows_at_most * actions),
      values(rows_at_most);
  while (!analysis.done()) {
    for (int group = 0; group < batch.num_groups; ++group) {
      const auto rows = static_cast<std::size_t>(analysis.select(group, observations.data()));
      CHECK(rows <= rows_at_most);
      for (std::size_t row = 0; row < rows; ++row)
        values[row] =
            evaluate(*game, observations.data() + row * game->observation_size(), logits.data() + row * actions);
      analysis.backup(group, logits.data(), values.data());
    }
  }
  return {analysis.results(), analysis.counters()};
}

void check_same(const std::vector<Analysis::Result>& left, const std::vector<Analysis::Result>& right) {
  CHECK_EQUAL(left.size(), right.size());
  for (std::size_t p = 0; p < left.size(); ++p) {
    CHECK(left[p].actions == right[p].actions);
    CHECK(left[p].visits == right[p].visits);
    CHECK(left[p].q_values == right[p].q_values);
    CHECK(left[p].priors == right[p].priors);
    CHECK_EQUAL(left[p].value, right[p].value);
    CHECK(left[p].principal_variation == right[p].principal_variation);
  }
}

constexpr EvaluatorKind kEvaluators[] = {EvaluatorKind::kNetwork, EvaluatorKind::kUniform, EvaluatorKind::kRollout};

std::vector<std::shared_ptr<const Game>> games() {
  return {load("connect_four", {6, 7, 4}), ladder(9, 20, 2), load("walk_three", {12, 30, 0})};
}

}  // namespace

TEST(results_do_not_depend_on_batch_width_threads_or_groups) {
  const SearchParams params{.num_simulations = 70, .dirichlet_alpha = 0.5f, .noise_fraction = 0.25f};
  for (const auto& game : games()) {
    const std::vector<History> positions = positions_of(*game, 13);
    for (const EvaluatorKind evaluator : kEvaluators) {
      const Run one = run(game, params, {.evaluator = evaluator}, positions);
      for (const auto& result : one.results) {
        float total = 0.0f;
        for (const float visits : result.visits) total += visits;
        CHECK_EQUAL(total, 70.0f);
      }
      for (const int num_threads : {1, 2, 3})
        for (const int num_searches : {2, 13, 20})
          check_same(one.results,
                     run(game, params,
                         {.evaluator = evaluator, .num_searches = num_searches, .num_threads = num_threads}, positions)
                         .results);
      check_same(one.results,
                 run(game, params, {.evaluator = evaluator, .num_searches = 6, .num_groups = 3}, positions).results);
    }
  }
}

TEST(a_position_is_searched_with_the_generator_of_its_place) {
  const auto game = load("connect_four", {6, 7, 4});
  const SearchParams params{.num_simulations = 50};
  const BatchParams rollout{.evaluator = EvaluatorKind::kRollout, .num_searches = 4};
  const std::vector<History> positions(4, play(*game, {3, 3}));
  const Run same = run(game, params, rollout, positions);
  check_same(same.results, run(game, params, rollout, positions).results);
  std::set<std::vector<float>> visits, others;
  for (const auto& result : same.results) visits.insert(result.visits);
  CHECK_EQUAL(visits.size(), 4u);
  for (const auto& result : run(game, params, rollout, positions, 10).results) visits.insert(result.visits);
  CHECK_EQUAL(visits.size(), 8u);
}

TEST(a_cache_changes_the_number_of_evaluations_only) {
  const SearchParams params{.num_simulations = 200};
  for (const auto& game : games()) {
    const std::vector<History> positions = positions_of(*game, 9);
    const Run without = run(game, params, {.num_searches = 9}, positions);
    CHECK_EQUAL(without.counters.cache_hits, 0);
    std::int64_t evaluations = without.counters.evaluations;
    for (const std::uint64_t bytes : {2'000ull, 20'000ull, 1ull << 22}) {
      const Run with = run(game, params, {.num_searches = 9, .cache_bytes = bytes}, positions);
      check_same(without.results, with.results);
      CHECK_EQUAL(with.counters.evaluations + with.counters.cache_hits, without.counters.evaluations);
      CHECK(with.counters.evaluations <= evaluations);
      evaluations = with.counters.evaluations;
    }
    CHECK(evaluations < without.counters.evaluations);
  }
}

TEST(the_cache_goes_by_the_evaluation_key) {
  const SearchParams params{.num_simulations = 100};
  const auto exact = load("walk_three", {12, 30, 0}), blind = load("walk_three", {12, 30, 1});
  const BatchParams batch{.cache_bytes = 1 << 20};
  const Run right = run(exact, params, batch, positions_of(*exact, 1));
  const Run wrong = run(blind, params, batch, positions_of(*blind, 1));
  // One key for all: every position with as many legal moves as the last one evaluated takes its evaluation.
  CHECK_EQUAL(right.counters.cache_hits + right.counters.evaluations, 101);
  CHECK(wrong.counters.cache_hits > right.counters.cache_hits + 20);
}

TEST(no_simulations_leave_the_evaluation_of_the_root) {
  const auto game = load("connect_four", {6, 7, 4});
  const std::vector<History> positions = positions_of(*game, 5);
  const Run found = run(game, {.num_simulations = 0}, {.num_searches = 2}, positions);
  for (std::size_t p = 0; p < positions.size(); ++p) {
    std::vector<float> planes(game->observation_size()), logits(7);
    game->encode(positions[p].current(), positions[p].past(), planes.data());
    CHECK_EQUAL(found.results[p].value, evaluate(*game, planes.data(), logits.data()));
    CHECK(found.results[p].principal_variation.empty());
    for (const float visits : found.results[p].visits) CHECK_EQUAL(visits, 0.0f);
  }
}

TEST(counters_count_simulations_evaluations_and_rows) {
  const auto game = ladder(4, 5);
  const Run found = run(game, {.num_simulations = 300}, {.num_searches = 3}, positions_of(*game, 3));
  const Counters& counters = found.counters;
  CHECK_EQUAL(counters.simulations, 900);
  // The evaluation of a root is no simulation.
  CHECK_EQUAL(counters.evaluations + counters.terminal_leaves, 900 + 3);
  CHECK_EQUAL(counters.batch_rows, counters.evaluations);
  CHECK(counters.batches <= counters.evaluations && 3 * counters.batches >= counters.evaluations);
}

TEST(a_finished_position_is_refused) {
  const auto game = ladder(2, 3);
  CHECK_THROWS(Analysis(game, {}, {}, {play(*game, {0, 1, 0})}, 1), std::invalid_argument, "over");
}

TEST(an_exception_of_the_rules_reaches_the_caller_at_any_number_of_threads) {
  const auto game = load("thrower", {0});
  for (const int num_threads : {1, 3}) {
    Analysis analysis(game, {.num_simulations = 50},
                      {.evaluator = EvaluatorKind::kUniform, .num_searches = 8, .num_threads = num_threads},
                      std::vector<History>(8, History(*game)), 1);
    float none[8];
    CHECK_THROWS(analysis.select(0, none), std::runtime_error, "thrown by the rules");
  }
}
