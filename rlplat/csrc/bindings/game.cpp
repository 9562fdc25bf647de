#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/position.hpp"
#include "bindings/python_rules.hpp"
#include "game/count_lines.hpp"

namespace rlplat {

namespace {

using Size3 = nb::typed<nb::tuple, int, int, int>;

nb::typed<nb::dict, nb::str, nb::any> describe_library(const std::string& path) {
  const GameLibrary library(path);
  nb::list parameters;
  for (int i = 0; i < library.table().num_parameters; ++i) {
    const Parameter& parameter = library.table().parameters[i];
    nb::dict entry;
    entry["name"] = parameter.name;
    entry["default"] = parameter.default_value;
    entry["minimum"] = parameter.minimum;
    entry["maximum"] = parameter.maximum;
    entry["is_integer"] = parameter.is_integer != 0;
    entry["description"] = parameter.description;
    parameters.append(entry);
  }
  nb::dict out;
  out["name"] = library.table().name;
  out["parameters"] = parameters;
  return out;
}

std::vector<std::int32_t> legal_actions(const Position& position) {
  const Game& game = *position.game;
  float returns[2];
  if (game.outcome(position.history.current(), position.history.past(), returns)) return {};
  const Shape& shape = game.shape();
  // Rules that break their promise about max_legal_actions are told so here, as long as their actions are distinct.
  std::vector<std::int32_t> actions(static_cast<std::size_t>(std::max(shape.num_actions, shape.max_legal_actions)));
  const int count = game.legal_actions(position.history.current(), position.history.past(), actions.data());
  if (count > shape.max_legal_actions)
    throw std::runtime_error("legal_actions gave " + std::to_string(count) + " actions, shape().max_legal_actions is " +
                             std::to_string(shape.max_legal_actions));
  actions.resize(static_cast<std::size_t>(count));
  return actions;
}

std::vector<std::int32_t> action_scores(const Position& position) {
  const Game& game = *position.game;
  const int player = game.player(position.history.current());
  std::vector<std::int32_t> scores = legal_actions(position);
  for (std::int32_t& entry : scores) {
    History after = position.history;
    after.apply(entry);
    const int score = game.exact_score(after.current(), after.past());
    entry = game.player(after.current()) == player ? score : -score;
  }
  return scores;
}

std::optional<int> winning_action(const Position& position) {
  const std::vector<std::int32_t> legal = legal_actions(position);
  if (legal.empty()) return std::nullopt;
  const RawPast past = position.history.past_of(position.history.num_moves() + 1);  // begins with the state itself
  const int action = position.game->winning_action(position.history.current(), past, legal);
  return action < 0 ? std::nullopt : std::optional(action);
}

}  // namespace

void bind_game(nb::module_& module) {
  module.def("describe_library", &describe_library, nb::arg("path"),
             "Name and parameters of a compiled game. RuntimeError if the library is none or of another contract.");

  nb::class_<Game>(module, "Game", "A compiled game with its parameters set.")
      .def(
          "__init__",
          [](Game* self, const std::string& library, const std::vector<double>& values) {
            new (self) Game(library, values);
          },
          nb::arg("library"), nb::arg("values"),
          "`values`: the parameters in the table's order. ValueError if the game refuses them.")
      .def_static("of_python", &game_of_python, nb::arg("rules"), "A game of rlplat.search.python_rules.PythonRules.")
      .def_prop_ro("name", [](const Game& game) { return std::string(game.table().name); })
      .def_prop_ro("num_actions", [](const Game& game) { return game.shape().num_actions; })
      .def_prop_ro("max_legal_actions", [](const Game& game) { return game.shape().max_legal_actions; })
      .def_prop_ro("plane_shape",
                   [](const Game& game) -> Size3 {
                     const Shape& shape = game.shape();
                     return Size3(nb::make_tuple(shape.num_planes, shape.height, shape.width));
                   })
      .def_prop_ro("min_length", [](const Game& game) { return game.shape().min_length; })
      .def_prop_ro("max_length", [](const Game& game) { return game.shape().max_length; })
      .def_prop_ro("num_symmetries", [](const Game& game) { return game.shape().num_symmetries; })
      .def_prop_ro("state_size", [](const Game& game) { return game.shape().state_size; })
      .def_prop_ro("past_length", [](const Game& game) { return game.shape().past_length; })
      .def_prop_ro(
          "notations",
          [](const Game& game) { return std::vector<std::string>(game.notations().begin(), game.notations().end()); },
          "Ways to write an action, the game's own first; empty where there is only one.")
      .def_prop_ro("parses_actions", &Game::parses_actions)
      .def_prop_ro("parses_states", &Game::parses_states)
      .def_prop_ro("has_heuristic", &Game::has_heuristic)
      .def_prop_ro(
          "exact_score_from", [](const Game& game) { return game.shape().exact_score_from; },
          "Plies from which on exact scores take seconds at most; -1: there are none.")
      .def(
          "symmetry",
          [](const Game& game, int index, Array<std::int32_t, 1> cells, Array<std::int32_t, 1> actions) {
            if (index < 0 || index >= game.shape().num_symmetries) throw nb::index_error("no such symmetry");
            check_length(cells, 0, game.num_cells(), "cells");
            check_length(actions, 0, static_cast<std::size_t>(game.shape().num_actions), "actions");
            std::ranges::copy(game.symmetry_cells(index), cells.data());
            std::ranges::copy(game.symmetry_actions(index), actions.data());
          },
          nb::arg("index"), nb::arg("cells").noconvert(), nb::arg("actions").noconvert());

  nb::class_<Position>(module, "Position", "A game from its start to some position.")
      .def(nb::init<std::shared_ptr<Game>>(), nb::arg("game"))
      .def(
          "__init__",
          [](Position* self, std::shared_ptr<Game> game, const std::string& text) {
            std::vector<std::byte> state(game->state_size());
            game->parse_state(text, state.data());
            new (self) Position(std::move(game));
            self->history.restart(state.data());
          },
          nb::arg("game"), nb::arg("text"),
          "A game that starts where `text` says. The caller has checked that the game parses states; ValueError if it "
          "refuses this one.")
      .def("copy", [](const Position& position) { return Position(position); })
      .def(
          "start",
          [](const Position& position) {
            Position start(position.game);
            start.history.restart(position.history.state(0));
            return start;
          },
          "Where the game began.")
      .def(
          "apply", [](Position& position, int action) { position.history.apply(action); }, nb::arg("action"),
          "The caller has checked that the action is legal.")
      .def("legal_actions", &legal_actions, "Ascending; empty once the game is over.")
      .def("winning_action", &winning_action, "A legal action that wins at once, as far as the rules know one.")
      .def_prop_ro("player", [](const Position& p) { return p.game->player(p.history.current()); })
      .def_prop_ro("num_moves", [](const Position& p) { return p.history.num_moves(); })
      .def_prop_ro("actions",
                   [](const Position& p) {
                     return std::vector<std::int32_t>(p.history.actions().begin(), p.history.actions().end());
                   })
      .def_prop_ro(
          "returns",
          [](const Position& p) -> std::optional<std::vector<float>> {
            float returns[2];
            if (!p.game->outcome(p.history.current(), p.history.past(), returns)) return std::nullopt;
            return std::vector<float>{returns[0], returns[1]};
          },
          "Per player, or None while the game goes on.")
      .def_prop_ro("hash", [](const Position& p) { return p.game->hash(p.history.current()); })
      .def_prop_ro("evaluation_key",
                   [](const Position& p) { return p.game->evaluation_key(p.history.current(), p.history.past()); })
      .def_prop_ro("state",
                   [](const Position& p) {
                     return nb::bytes(reinterpret_cast<const char*>(p.history.current()), p.game->state_size());
                   })
      .def(
          "encode",
          [](const Position& p, Array<float, 3> planes) {
            check_length(planes, 0, static_cast<std::size_t>(p.game->shape().num_planes), "planes");
            check_length(planes, 1, static_cast<std::size_t>(p.game->shape().height), "planes");
            check_length(planes, 2, static_cast<std::size_t>(p.game->shape().width), "planes");
            p.game->encode(p.history.current(), p.history.past(), planes.data());
          },
          nb::arg("planes").noconvert())
      .def(
          "rollout",
          [](const Position& p, std::uint64_t seed) {
            float returns[2];
            if (p.game->outcome(p.history.current(), p.history.past(), returns)) return returns[0];
            Random random(seed);
            return p.game->rollout(p.history.current(), p.history.past(), random);
          },
          nb::arg("seed"), "Return of player 0 after random moves to the end of the game.")
      .def(
          "heuristic", [](const Position& p) { return p.game->heuristic(p.history.current()); },
          "The caller has checked that the game has one.")
      .def(
          "exact_score", [](const Position& p) { return p.game->exact_score(p.history.current(), p.history.past()); },
          nb::call_guard<nb::gil_scoped_release>(), "The caller has checked that the game has one.")
      .def("action_scores", &action_scores, nb::call_guard<nb::gil_scoped_release>(),
           "Exact score of each legal action, in their order, from the view of the player to move.")
      .def(
          "action_text",
          [](const Position& p, int action, int notation) {
            return p.game->action_text(p.history.current(), action, notation);
          },
          nb::arg("action"), nb::arg("notation") = 0, "`notation`: an index into `Game.notations`.")
      .def(
          "parse_action",
          [](const Position& p, const std::string& text) { return p.game->parse_action(p.history.current(), text); },
          nb::arg("text"), "The legal action, or -1. The caller has checked that the game parses actions.")
      .def(
          "count_lines",
          [](const Position& p, int num_plies, bool one_by_one) {
            return count_lines(*p.game, p.history, num_plies, one_by_one);
          },
          nb::arg("num_plies"), nb::arg("one_by_one") = false, nb::call_guard<nb::gil_scoped_release>(),
          "How many lines of so many plies lead on from here (`perft`); those that end the game before do not count. "
          "With `one_by_one` the moves of the last ply are made, not only counted.")
      .def("text", [](const Position& p) { return p.game->text(p.history.current()); });
}

}  // namespace rlplat
