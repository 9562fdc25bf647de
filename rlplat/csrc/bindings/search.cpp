#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings/arrays.hpp"
#include "bindings/position.hpp"
#include "search/alpha_beta.hpp"
#include "search/analysis.hpp"
#include "search/self_play.hpp"

namespace rlplat {

namespace {

using ReleaseGil = nb::call_guard<nb::gil_scoped_release>;

EvaluatorKind evaluator_kind(const std::string& name) {
  if (name == "network") return EvaluatorKind::kNetwork;
  if (name == "uniform") return EvaluatorKind::kUniform;
  if (name == "rollout") return EvaluatorKind::kRollout;
  throw std::invalid_argument("evaluator is '" + name + "'; it must be network, uniform or rollout");
}

void check_group(const BatchSearch& search, int group) {
  if (group < 0 || group >= search.num_groups()) throw nb::index_error("no such group");
}

void check_same_game(const Game& game, const std::vector<const Position*>& positions) {
  for (const Position* position : positions) {
    const Game& other = *position->game;
    if (&other.table() != &game.table() || other.state_size() != game.state_size() ||
        other.observation_size() != game.observation_size())
      throw nb::value_error("a position to analyse belongs to another game");
  }
}

void alpha_beta(std::shared_ptr<Game> game, const std::vector<const Position*>& positions, int depth,
                std::uint64_t seed, Array<std::int64_t, 1> actions, Array<float, 1> values) {
  check_same_game(*game, positions);
  check_length(actions, 0, positions.size(), "actions");
  check_length(values, 0, positions.size(), "values");
  const nb::gil_scoped_release unlocked;
  AlphaBeta search(std::move(game), depth);
  for (std::size_t p = 0; p < positions.size(); ++p) {
    Random random = Random::stream(seed, p);
    const AlphaBeta::Result result = search.search(positions[p]->history, random);
    actions.data()[p] = result.action;
    values.data()[p] = result.value;
  }
}

int select(BatchSearch& search, int group, Array<float, 4> observations) {
  check_group(search, group);
  const Shape& shape = search.game().shape();
  check_at_least(observations, 0, static_cast<std::size_t>(search.searches_per_group()), "observations");
  check_length(observations, 1, static_cast<std::size_t>(shape.num_planes), "observations");
  check_length(observations, 2, static_cast<std::size_t>(shape.height), "observations");
  check_length(observations, 3, static_cast<std::size_t>(shape.width), "observations");
  return search.select(group, observations.data());
}

void backup(BatchSearch& search, int group, Array<const float, 2> logits, Array<const float, 1> values) {
  check_group(search, group);
  check_length(logits, 1, static_cast<std::size_t>(search.game().shape().num_actions), "logits");
  check_at_least(logits, 0, static_cast<std::size_t>(search.num_pending(group)), "logits");
  check_at_least(values, 0, static_cast<std::size_t>(search.num_pending(group)), "values");
  search.backup(group, logits.data(), values.data());
}

nb::typed<nb::dict, nb::str, int> counters(const BatchSearch& search) {
  const Counters sum = search.counters();
  nb::dict out;
  out["simulations"] = sum.simulations;
  out["evaluations"] = sum.evaluations;
  out["cache_hits"] = sum.cache_hits;
  out["terminal_leaves"] = sum.terminal_leaves;
  out["batches"] = sum.batches;
  out["batch_rows"] = sum.batch_rows;
  return out;
}

RecordArrays record_arrays(Array<std::int64_t, 1> number, Array<std::uint64_t, 1> random_state,
                           Array<std::int32_t, 1> opening_plies, Array<std::int32_t, 1> num_positions,
                           Array<float, 1> outcome, Array<std::uint8_t, 2> states, Array<std::uint8_t, 1> players,
                           Array<std::int32_t, 1> actions, Array<float, 1> root_values,
                           Array<std::uint16_t, 1> num_legal, Array<std::uint16_t, 1> policy,
                           const RecordCounts& counts, std::size_t state_size) {
  const auto games = static_cast<std::size_t>(counts.games), positions = static_cast<std::size_t>(counts.positions);
  check_length(number, 0, games, "game_number");
  check_length(random_state, 0, games, "random_state");
  check_length(opening_plies, 0, games, "opening_plies");
  check_length(num_positions, 0, games, "num_positions");
  check_length(outcome, 0, games, "outcome");
  check_length(states, 0, positions, "states");
  check_length(states, 1, state_size, "states");
  check_length(players, 0, positions, "player");
  check_length(actions, 0, positions, "action");
  check_length(root_values, 0, positions, "root_value");
  check_length(num_legal, 0, positions, "num_legal");
  check_length(policy, 0, static_cast<std::size_t>(counts.policy), "policy");
  return {number.data(),        random_state.data(), opening_plies.data(),
          num_positions.data(), outcome.data(),      reinterpret_cast<std::byte*>(states.data()),
          players.data(),       actions.data(),      root_values.data(),
          num_legal.data(),     policy.data()};
}

// Game records that left the search and wait to be copied into arrays of the caller.
struct Records {
  std::shared_ptr<Game> game;
  std::vector<GameRecord> list;
};

}  // namespace

void bind_search(nb::module_& module) {
  module.def(
      "alpha_beta", &alpha_beta, nb::arg("game"), nb::arg("positions"), nb::kw_only(), nb::arg("depth"),
      nb::arg("seed"), nb::arg("actions").noconvert(), nb::arg("values").noconvert(),
      "Search each of B positions to a depth; fills actions int64[B] and values float32[B], from the view of the "
      "player to move. See csrc/search/alpha_beta.hpp.");

  nb::class_<SearchParams>(module, "SearchParams", "How a tree is searched; see csrc/search/tree.hpp.")
      .def(
          "__init__",
          [](SearchParams* self, int num_simulations, float c_base, float c_init, const std::string& fpu,
             float fpu_value, float dirichlet_alpha, float noise_fraction) {
            if (fpu != "constant" && fpu != "reduction")
              throw std::invalid_argument("fpu is '" + fpu + "'; it must be constant or reduction");
            new (self) SearchParams{
                num_simulations, c_base,          c_init,        fpu == "constant" ? Fpu::kConstant : Fpu::kReduction,
                fpu_value,       dirichlet_alpha, noise_fraction};
          },
          nb::kw_only(), nb::arg("num_simulations"), nb::arg("c_base"), nb::arg("c_init"), nb::arg("fpu"),
          nb::arg("fpu_value"), nb::arg("dirichlet_alpha"), nb::arg("noise_fraction"));

  nb::class_<BatchSearch>(module, "BatchSearch", "Many searches side by side; see csrc/search/batch_search.hpp.")
      .def("select", &select, nb::arg("group"), nb::arg("observations").noconvert(), ReleaseGil(),
           "Fill rows of `observations` float32[>=searches_per_group, C, H, W] with leaves that need the network; "
           "returns how many.")
      .def("backup", &backup, nb::arg("group"), nb::arg("logits").noconvert(), nb::arg("values").noconvert(),
           ReleaseGil(),
           "Take the evaluations of the rows: logits float32[>=rows, A], values float32[>=rows] from the view of the "
           "player to move.")
      .def("clear_cache", &BatchSearch::clear_cache)
      .def("counters", &counters)
      .def_prop_ro("searches_per_group", &BatchSearch::searches_per_group)
      .def_prop_ro("num_groups", &BatchSearch::num_groups);

  nb::class_<Records>(module, "Records", "Game records on their way into arrays.")
      .def_prop_ro(
          "counts",
          [](const Records& records) -> nb::typed<nb::tuple, int, int, int> {
            const RecordCounts counts = count_records(records.list);
            return nb::make_tuple(counts.games, counts.positions, counts.policy);
          },
          "(games, positions, policy entries)")
      .def(
          "write",
          [](const Records& records, Array<std::int64_t, 1> game_number, Array<std::uint64_t, 1> random_state,
             Array<std::int32_t, 1> opening_plies, Array<std::int32_t, 1> num_positions, Array<float, 1> outcome,
             Array<std::uint8_t, 2> states, Array<std::uint8_t, 1> player, Array<std::int32_t, 1> action,
             Array<float, 1> root_value, Array<std::uint16_t, 1> num_legal, Array<std::uint16_t, 1> policy) {
            write_records(records.list, record_arrays(game_number, random_state, opening_plies, num_positions, outcome,
                                                      states, player, action, root_value, num_legal, policy,
                                                      count_records(records.list), records.game->state_size()));
          },
          nb::kw_only(), nb::arg("game_number").noconvert(), nb::arg("random_state").noconvert(),
          nb::arg("opening_plies").noconvert(), nb::arg("num_positions").noconvert(), nb::arg("outcome").noconvert(),
          nb::arg("states").noconvert(), nb::arg("player").noconvert(), nb::arg("action").noconvert(),
          nb::arg("root_value").noconvert(), nb::arg("num_legal").noconvert(), nb::arg("policy").noconvert(),
          "Fill the caller's arrays.")
      .def_static(
          "read",
          [](std::shared_ptr<Game> game, Array<std::int64_t, 1> game_number, Array<std::uint64_t, 1> random_state,
             Array<std::int32_t, 1> opening_plies, Array<std::int32_t, 1> num_positions, Array<float, 1> outcome,
             Array<std::uint8_t, 2> states, Array<std::uint8_t, 1> player, Array<std::int32_t, 1> action,
             Array<float, 1> root_value, Array<std::uint16_t, 1> num_legal, Array<std::uint16_t, 1> policy) {
            const RecordCounts counts{static_cast<std::int64_t>(game_number.size()),
                                      static_cast<std::int64_t>(action.size()),
                                      static_cast<std::int64_t>(policy.size())};
            const RecordArrays arrays =
                record_arrays(game_number, random_state, opening_plies, num_positions, outcome, states, player, action,
                              root_value, num_legal, policy, counts, game->state_size());
            return Records{game, read_records(counts, arrays, game->state_size())};
          },
          nb::arg("game"), nb::kw_only(), nb::arg("game_number"), nb::arg("random_state"), nb::arg("opening_plies"),
          nb::arg("num_positions"), nb::arg("outcome"), nb::arg("states"), nb::arg("player"), nb::arg("action"),
          nb::arg("root_value"), nb::arg("num_legal"), nb::arg("policy"));

  nb::class_<SelfPlay, BatchSearch>(module, "SelfPlay", "Self-play of many games; see csrc/search/self_play.hpp.")
      .def(
          "__init__",
          [](SelfPlay* self, std::shared_ptr<Game> game, const SearchParams& params, const std::string& evaluator,
             int num_searches, int num_groups, int num_threads, std::uint64_t cache_bytes, int kept_visits,
             std::uint64_t seed, std::int64_t first_game, std::int64_t game_stride, int opening_plies,
             float temperature, int temperature_plies, float final_temperature) {
            new (self) SelfPlay(
                std::move(game), params,
                BatchParams{evaluator_kind(evaluator), num_searches, num_groups, num_threads, cache_bytes, kept_visits},
                SelfPlayParams{seed, first_game, game_stride, opening_plies, temperature, temperature_plies,
                               final_temperature});
          },
          nb::arg("game"), nb::arg("params"), nb::kw_only(), nb::arg("evaluator"), nb::arg("num_searches"),
          nb::arg("num_groups"), nb::arg("num_threads"), nb::arg("cache_bytes"), nb::arg("kept_visits"),
          nb::arg("seed"), nb::arg("first_game"), nb::arg("game_stride"), nb::arg("opening_plies"),
          nb::arg("temperature"), nb::arg("temperature_plies"), nb::arg("final_temperature"))
      .def_prop_ro("finished_positions", &SelfPlay::finished_positions)
      .def(
          "take_finished",
          [](SelfPlay& self, std::shared_ptr<Game> game) { return Records{game, self.take_finished()}; },
          nb::arg("game"), "Finished games since the last call, by number.")
      .def(
          "suspend", [](SelfPlay& self, std::shared_ptr<Game> game) { return Records{game, self.suspend()}; },
          nb::arg("game"), "The games under way; drops trees and cached evaluations.")
      .def("resume", [](SelfPlay& self, const Records& records) { self.resume(records.list); }, nb::arg("records"));

  nb::class_<Analysis, BatchSearch>(module, "Analysis", "Searches of given positions; see csrc/search/analysis.hpp.")
      .def(
          "__init__",
          [](Analysis* self, std::shared_ptr<Game> game, const SearchParams& params,
             const std::vector<const Position*>& positions, const std::string& evaluator, int num_searches,
             int num_threads, std::uint64_t cache_bytes, std::uint64_t seed) {
            std::vector<History> histories;
            check_same_game(*game, positions);
            for (const Position* position : positions) histories.push_back(position->history);
            new (self) Analysis(std::move(game), params,
                                BatchParams{evaluator_kind(evaluator), num_searches, 1, num_threads, cache_bytes, 0},
                                std::move(histories), seed);
          },
          nb::arg("game"), nb::arg("params"), nb::arg("positions"), nb::kw_only(), nb::arg("evaluator"),
          nb::arg("num_searches"), nb::arg("num_threads"), nb::arg("cache_bytes"), nb::arg("seed"))
      .def_prop_ro("done", &Analysis::done)
      .def(
          "write",
          [](const Analysis& analysis, Array<std::int32_t, 2> visit_counts, Array<float, 2> q_values,
             Array<float, 2> priors, Array<float, 1> values) {
            const std::size_t count = analysis.results().size();
            const auto num_actions = static_cast<std::size_t>(analysis.game().shape().num_actions);
            check_length(visit_counts, 0, count, "visit_counts");
            check_length(visit_counts, 1, num_actions, "visit_counts");
            check_length(q_values, 0, count, "q_values");
            check_length(q_values, 1, num_actions, "q_values");
            check_length(priors, 0, count, "priors");
            check_length(priors, 1, num_actions, "priors");
            check_length(values, 0, count, "values");
            for (std::size_t p = 0; p < count; ++p) {
              const Analysis::Result& result = analysis.results()[p];
              values.data()[p] = result.value;
              for (std::size_t i = 0; i < result.actions.size(); ++i) {
                const std::size_t at = p * num_actions + static_cast<std::size_t>(result.actions[i]);
                visit_counts.data()[at] = static_cast<std::int32_t>(result.visits[i]);
                q_values.data()[at] = result.q_values[i];
                priors.data()[at] = result.priors[i];
              }
            }
          },
          nb::kw_only(), nb::arg("visit_counts").noconvert(), nb::arg("q_values").noconvert(),
          nb::arg("priors").noconvert(), nb::arg("values").noconvert(),
          "Fill the entries of legal actions; others stay as they are.")
      .def(
          "principal_variation",
          [](const Analysis& analysis, std::size_t position) {
            return analysis.results().at(position).principal_variation;
          },
          nb::arg("position"));
}

}  // namespace rlplat
