#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <initializer_list>
#include <numeric>
#include <string_view>
#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/position.hpp"
#include "search/alpha_beta.hpp"
#include "search/analysis.hpp"
#include "search/self_play.hpp"

namespace rlplat {

namespace {

using ReleaseGil = nb::call_guard<nb::gil_scoped_release>;

// The value that belongs to a name.
template <class T>
T one_of(const char* what, const std::string& name, std::initializer_list<std::pair<const char*, T>> values) {
  std::string allowed;
  for (const auto& [known, value] : values) {
    if (name == known) return value;
    allowed += (allowed.empty() ? "" : " or ") + std::string(known);
  }
  throw std::invalid_argument(std::string(what) + " is '" + name + "'; it must be " + allowed);
}

EvaluatorKind evaluator_kind(const std::string& name) {
  return one_of<EvaluatorKind>("evaluator", name,
                               {{"network", EvaluatorKind::kNetwork},
                                {"uniform", EvaluatorKind::kUniform},
                                {"rollout", EvaluatorKind::kRollout}});
}

void check_group(const BatchSearch& search, int group) {
  if (group < 0 || group >= search.num_groups()) throw nb::index_error("no such group");
}

void check_same_game(const Game& game, const std::vector<const Position*>& positions) {
  for (const Position* position : positions) {
    const Game& other = *position->game;
    if (std::string_view(other.table().name) != game.table().name || other.state_size() != game.state_size() ||
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
  check_at_least(observations, 0, static_cast<std::size_t>(search.rows_per_group()), "observations");
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

using NamedArrays = nb::typed<nb::dict, nb::str, nb::any>;

nb::handle named(const nb::dict& arrays, const char* name) {
  if (!arrays.contains(name)) throw nb::key_error((std::string("there is no array named ") + name).c_str());
  return arrays[name];
}

std::int64_t length_of(const nb::dict& arrays, const char* name) {
  return static_cast<std::int64_t>(nb::len(named(arrays, name)));
}

// The array of that name, which must have type T and the lengths given; it is never converted.
template <class T, class... Lengths>
T* column(const nb::dict& arrays, const char* name, Lengths... lengths) {
  Array<T, sizeof...(lengths)> array;
  if (!nb::try_cast(named(arrays, name), array, false))
    throw nb::type_error((std::string(name) + " has another type or number of axes, or is not contiguous").c_str());
  std::size_t axis = 0;
  (check_length(array, axis++, lengths, name), ...);
  return array.data();
}

// The arrays of game records by name; see rlplat/search/self_play.py. They must outlive what is returned.
RecordArrays record_arrays(const nb::dict& arrays, const RecordCounts& counts, std::size_t state_size) {
  const auto games = static_cast<std::size_t>(counts.games), positions = static_cast<std::size_t>(counts.positions);
  return {column<std::int64_t>(arrays, "game_number", games),
          column<std::uint64_t>(arrays, "random_state", games),
          column<std::int32_t>(arrays, "opening_plies", games),
          column<std::uint8_t>(arrays, "played_on", games),
          column<std::uint8_t>(arrays, "resigned", games),
          column<std::int32_t>(arrays, "num_positions", games),
          column<float>(arrays, "outcome", games),
          reinterpret_cast<std::byte*>(column<std::uint8_t>(arrays, "states", positions, state_size)),
          column<std::uint8_t>(arrays, "player", positions),
          column<std::int32_t>(arrays, "action", positions),
          column<float>(arrays, "root_value", positions),
          column<float>(arrays, "surprise", positions),
          column<std::uint16_t>(arrays, "num_legal", positions),
          column<std::uint16_t>(arrays, "policy", static_cast<std::size_t>(counts.policy))};
}

// Game records that left the search and wait to be copied into arrays of the caller.
struct Records {
  std::shared_ptr<Game> game;
  std::vector<GameRecord> list;
};

}  // namespace

void bind_search(nb::module_& module) {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const NonFiniteEvaluation& error) {
      const std::string text =
          std::string(error.what()) +
          ". The weights have diverged: begin from a checkpoint before that (--init-from RUN/checkpoints/STEP) with a "
          "lower learning rate or a smaller limit on the gradient's norm";
      PyErr_SetString(nb::module_::import_("rlplat.errors").attr("DivergedError").ptr(), text.c_str());
    }
  });
  module.def(
      "alpha_beta", &alpha_beta, nb::arg("game"), nb::arg("positions"), nb::kw_only(), nb::arg("depth"),
      nb::arg("seed"), nb::arg("actions").noconvert(), nb::arg("values").noconvert(),
      "Search each of B positions to a depth; fills actions int64[B] and values float32[B], from the view of the "
      "player to move. See csrc/search/alpha_beta.hpp.");

  nb::class_<SearchParams>(module, "SearchParams", "How a tree is searched; see csrc/search/tree.hpp.")
      .def(
          "__init__",
          [](SearchParams* self, int num_simulations, float c_base, float c_init, const std::string& fpu,
             float fpu_value, float dirichlet_alpha, float noise_fraction, bool shaped_noise, float root_temperature,
             float forced_playouts, bool prove, const std::string& selection, int gumbel_actions, float c_visit,
             float c_scale, float gumbel_scale, float lcb_deviations) {
            new (self) SearchParams{
                .num_simulations = num_simulations,
                .c_base = c_base,
                .c_init = c_init,
                .fpu = one_of<Fpu>("fpu", fpu, {{"constant", Fpu::kConstant}, {"reduction", Fpu::kReduction}}),
                .fpu_value = fpu_value,
                .dirichlet_alpha = dirichlet_alpha,
                .noise_fraction = noise_fraction,
                .shaped_noise = shaped_noise,
                .root_temperature = root_temperature,
                .forced_playouts = forced_playouts,
                .prove = prove,
                .selection = one_of<Selection>("selection", selection,
                                               {{"puct", Selection::kPuct}, {"gumbel", Selection::kGumbel}}),
                .gumbel_actions = gumbel_actions,
                .c_visit = c_visit,
                .c_scale = c_scale,
                .gumbel_scale = gumbel_scale,
                .lcb_deviations = lcb_deviations};
          },
          nb::kw_only(), nb::arg("num_simulations"), nb::arg("c_base"), nb::arg("c_init"), nb::arg("fpu"),
          nb::arg("fpu_value"), nb::arg("dirichlet_alpha"), nb::arg("noise_fraction"), nb::arg("shaped_noise"),
          nb::arg("root_temperature"), nb::arg("forced_playouts"), nb::arg("prove"), nb::arg("selection"),
          nb::arg("gumbel_actions"), nb::arg("c_visit"), nb::arg("c_scale"), nb::arg("gumbel_scale"),
          nb::arg("lcb_deviations"));

  nb::class_<BatchSearch>(module, "BatchSearch", "Many searches side by side; see csrc/search/batch_search.hpp.")
      .def("select", &select, nb::arg("group"), nb::arg("observations").noconvert(), ReleaseGil(),
           "Fill rows of `observations` float32[>=rows_per_group, C, H, W] with leaves that need the network; "
           "returns how many.")
      .def("backup", &backup, nb::arg("group"), nb::arg("logits").noconvert(), nb::arg("values").noconvert(),
           ReleaseGil(),
           "Take the evaluations of the rows: logits float32[>=rows, A], values float32[>=rows] from the view of the "
           "player to move. DivergedError if one is not finite.")
      .def("clear_cache", &BatchSearch::clear_cache)
      .def("counters", &counters)
      .def_prop_ro("encode_s", &BatchSearch::encode_s, "Seconds that `select` took to fill in observations, in all.")
      .def_prop_ro("rows_per_group", &BatchSearch::rows_per_group)
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
          [](const Records& records, const NamedArrays& arrays) {
            const RecordCounts counts = count_records(records.list);
            write_records(records.list, record_arrays(arrays, counts, records.game->state_size()));
          },
          nb::arg("arrays"), "Fill the caller's arrays.")
      .def_static(
          "read",
          [](std::shared_ptr<Game> game, const NamedArrays& arrays) {
            const RecordCounts counts{length_of(arrays, "game_number"), length_of(arrays, "action"),
                                      length_of(arrays, "policy")};
            const std::size_t state_size = game->state_size();
            return Records{std::move(game),
                           read_records(counts, record_arrays(arrays, counts, state_size), state_size)};
          },
          nb::arg("game"), nb::arg("arrays"));

  nb::class_<SelfPlay, BatchSearch>(module, "SelfPlay", "Self-play of many games; see csrc/search/self_play.hpp.")
      .def(
          "__init__",
          [](SelfPlay* self, std::shared_ptr<Game> game, const SearchParams& params, const std::string& evaluator,
             int num_searches, int num_groups, int num_threads, std::uint64_t cache_bytes, int kept_visits,
             std::uint64_t seed, std::int64_t first_game, std::int64_t game_stride, int opening_plies,
             float temperature, int temperature_plies, float final_temperature, float fast_share, int fast_simulations,
             float resign_value, float played_on_share) {
            new (self) SelfPlay(
                std::move(game), params,
                BatchParams{evaluator_kind(evaluator), num_searches, num_groups, num_threads, cache_bytes, kept_visits},
                SelfPlayParams{seed, first_game, game_stride, opening_plies, temperature, temperature_plies,
                               final_temperature, fast_share, fast_simulations, resign_value, played_on_share});
          },
          nb::arg("game"), nb::arg("params"), nb::kw_only(), nb::arg("evaluator"), nb::arg("num_searches"),
          nb::arg("num_groups"), nb::arg("num_threads"), nb::arg("cache_bytes"), nb::arg("kept_visits"),
          nb::arg("seed"), nb::arg("first_game"), nb::arg("game_stride"), nb::arg("opening_plies"),
          nb::arg("temperature"), nb::arg("temperature_plies"), nb::arg("final_temperature"), nb::arg("fast_share"),
          nb::arg("fast_simulations"), nb::arg("resign_value"), nb::arg("played_on_share"))
      .def("set_resign_value", &SelfPlay::set_resign_value, nb::arg("value"))
      .def_prop_ro("finished_positions", &SelfPlay::finished_positions)
      .def(
          "take_finished",
          [](SelfPlay& self, std::shared_ptr<Game> game) { return Records{game, self.take_finished()}; },
          nb::arg("game"), "Finished games since the last call, by number.")
      .def("take_noise", &SelfPlay::take_noise, "Words of the noise at the first roots; see csrc/search/self_play.hpp.")
      .def(
          "suspend", [](SelfPlay& self, std::shared_ptr<Game> game) { return Records{game, self.suspend()}; },
          nb::arg("game"), "The games under way; drops trees and cached evaluations.")
      .def("resume", [](SelfPlay& self, const Records& records) { self.resume(records.list); }, nb::arg("records"));

  nb::class_<Analysis, BatchSearch>(module, "Analysis", "Searches of given positions; see csrc/search/analysis.hpp.")
      .def(
          "__init__",
          [](Analysis* self, std::shared_ptr<Game> game, const SearchParams& params,
             const std::vector<const Position*>& positions, const std::string& evaluator, int num_searches,
             int num_threads, std::uint64_t cache_bytes, int leaves_per_search, std::uint64_t seed) {
            std::vector<History> histories;
            check_same_game(*game, positions);
            for (const Position* position : positions) histories.push_back(position->history);
            new (self) Analysis(
                std::move(game), params,
                BatchParams{evaluator_kind(evaluator), num_searches, 1, num_threads, cache_bytes, 0, leaves_per_search},
                std::move(histories), seed);
          },
          nb::arg("game"), nb::arg("params"), nb::arg("positions"), nb::kw_only(), nb::arg("evaluator"),
          nb::arg("num_searches"), nb::arg("num_threads"), nb::arg("cache_bytes"), nb::arg("leaves_per_search"),
          nb::arg("seed"))
      .def_prop_ro("done", &Analysis::done)
      .def("stop", &Analysis::stop, "End all searches with what they have, as soon as their roots are evaluated.")
      .def("note", nb::overload_cast<>(&Analysis::note), "Fill in the results of searches under way, as they are now.")
      .def(
          "write",
          [](const Analysis& analysis, Array<std::int32_t, 2> visit_counts, Array<float, 2> q_values,
             Array<float, 2> priors, Array<float, 2> policies, Array<std::int64_t, 1> best_actions,
             Array<float, 1> values, Array<bool, 1> proven) {
            const std::size_t count = analysis.results().size();
            const auto num_actions = static_cast<std::size_t>(analysis.game().shape().num_actions);
            check_length(visit_counts, 0, count, "visit_counts");
            check_length(visit_counts, 1, num_actions, "visit_counts");
            check_length(q_values, 0, count, "q_values");
            check_length(q_values, 1, num_actions, "q_values");
            check_length(priors, 0, count, "priors");
            check_length(priors, 1, num_actions, "priors");
            check_length(policies, 0, count, "policies");
            check_length(policies, 1, num_actions, "policies");
            check_length(best_actions, 0, count, "best_actions");
            check_length(values, 0, count, "values");
            check_length(proven, 0, count, "proven");
            for (std::size_t p = 0; p < count; ++p) {
              const Analysis::Result& result = analysis.results()[p];
              values.data()[p] = result.value;
              best_actions.data()[p] = result.best_action;
              const float sum = std::accumulate(result.policy.begin(), result.policy.end(), 0.0f);
              proven.data()[p] = result.proven;
              for (std::size_t i = 0; i < result.actions.size(); ++i) {
                const std::size_t at = p * num_actions + static_cast<std::size_t>(result.actions[i]);
                visit_counts.data()[at] = static_cast<std::int32_t>(result.visits[i]);
                q_values.data()[at] = result.q_values[i];
                priors.data()[at] = result.priors[i];
                policies.data()[at] = sum > 0.0f ? result.policy[i] / sum : result.priors[i];
              }
            }
          },
          nb::kw_only(), nb::arg("visit_counts").noconvert(), nb::arg("q_values").noconvert(),
          nb::arg("priors").noconvert(), nb::arg("policies").noconvert(), nb::arg("best_actions").noconvert(),
          nb::arg("values").noconvert(), nb::arg("proven").noconvert(),
          "Fill the entries of legal actions; others stay as they are.")
      .def(
          "principal_variation",
          [](const Analysis& analysis, std::size_t position) {
            return analysis.results().at(position).principal_variation;
          },
          nb::arg("position"));
}

}  // namespace rlplat
