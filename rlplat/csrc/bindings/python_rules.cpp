#include "bindings/python_rules.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <limits>
#include <tuple>

namespace rlplat {

namespace {

using Move = std::uint16_t;
using View = std::tuple<int, std::optional<float>, std::vector<std::int32_t>>;

// The table's instance. A state is the moves that lead to it: their number, then the moves. So it is of fixed size,
// can be copied, stored and sent anywhere, and Python finds or makes the state that the user's rules know.
class Instance {
 public:
  explicit Instance(nb::object rules) : rules_(std::move(rules)), name_(nb::cast<std::string>(rules_.attr("name"))) {
    const auto [planes, height, width] = nb::cast<std::tuple<int, int, int>>(rules_.attr("plane_shape"));
    shape_ = {.num_actions = number("num_actions"),
              .max_legal_actions = number("max_legal_actions"),
              .num_planes = planes,
              .height = height,
              .width = width,
              .min_length = number("min_length"),
              .max_length = number("max_length"),
              .num_symmetries = number("num_symmetries"),
              .exact_score_from = -1};
    shape_.state_size = static_cast<std::int32_t>(sizeof(Move)) * (1 + shape_.max_length);
    table_ = make_table(nb::cast<bool>(rules_.attr("has_heuristic")));
  }

  const GameTable& table() const { return table_; }

 private:
  static const Instance& of(const void* game) { return *static_cast<const Instance*>(game); }
  static Move* moves_of(void* state) { return static_cast<Move*>(state); }

  static nb::bytes moves_of(const void* state) {
    const auto* moves = static_cast<const Move*>(state);
    return nb::bytes(moves + 1, moves[0] * sizeof(Move));
  }

  int number(const char* name) const { return nb::cast<int>(rules_.attr(name)); }

  // Calls a method about one state. Workers of the search hold no lock of the interpreter, so every call takes it.
  template <class T, class... Arguments>
  static T ask(const void* game, const char* method, const void* state, Arguments... arguments) {
    const nb::gil_scoped_acquire locked;
    return nb::cast<T>(of(game).rules_.attr(method)(moves_of(state), arguments...));
  }

  static View view(const void* game, const void* state) { return ask<View>(game, "view", state); }

  static void write_returns(float outcome, float* returns) {
    returns[0] = outcome;
    returns[1] = -outcome;
  }

  static void apply(const void* game, void* state, std::int32_t action) {
    ask<void>(game, "check_apply", state, action);
    Move* moves = moves_of(state);
    moves[++moves[0]] = static_cast<Move>(action);
  }

  static void step(const void* game, const void* parent, RawPast, std::int32_t action, void* child, Step* out) {
    std::memcpy(child, parent, static_cast<std::size_t>(of(game).shape_.state_size));
    apply(game, child, action);
    const auto [player, outcome, legal] = view(game, child);
    out->player = player;
    out->is_over = outcome.has_value();
    if (outcome) write_returns(*outcome, out->returns);
    else out->num_legal = static_cast<std::int32_t>(std::ranges::copy(legal, out->legal).out - out->legal);
  }

  static float rollout(const void* game, const void* state, RawPast, std::uint64_t* random_state) {
    Random random(*random_state);
    const std::uint64_t seed = random.next();
    *random_state = random.state();
    return ask<float>(game, "rollout", state, seed);
  }

  static void encode(const void* game, const void* state, RawPast, float* planes) {
    const nb::gil_scoped_acquire locked;
    const auto found = nb::cast<Array<const float, 3>>(of(game).rules_.attr("planes")(moves_of(state)));
    std::copy_n(found.data(), found.size(), planes);
  }

  static void symmetry(const void* game, std::int32_t index, std::int32_t* cells, std::int32_t* actions) {
    using Permutation = std::vector<std::int32_t>;
    const nb::gil_scoped_acquire locked;
    const auto [of_cells, of_actions] =
        nb::cast<std::tuple<Permutation, Permutation>>(of(game).rules_.attr("symmetry")(index));
    std::ranges::copy(of_cells, cells);
    std::ranges::copy(of_actions, actions);
  }

  static std::int32_t write(const std::string& text, char* out, std::uint64_t size) {
    return std::snprintf(out, size, "%s", text.c_str());
  }

  GameTable make_table(bool has_heuristic) const {
    GameTable table{};
    table.contract_version = kContractVersion;
    table.table_size = sizeof(GameTable);
    table.name = name_.c_str();
    table.destroy = [](void* game) {
      const nb::gil_scoped_acquire locked;
      delete static_cast<Instance*>(game);
    };
    table.shape = [](const void* game, Shape* out) { *out = of(game).shape_; };
    table.initial_state = [](const void* game, void* state) {
      std::memset(state, 0, static_cast<std::size_t>(of(game).shape_.state_size));
    };
    table.legal_actions = [](const void* game, const void* state, RawPast, std::int32_t* out) {
      return static_cast<std::int32_t>(std::ranges::copy(std::get<2>(view(game, state)), out).out - out);
    };
    table.apply = apply;
    table.step = step;
    // To find out would take a call for every legal action of every leaf: a search learns of wins by visiting them.
    table.winning_action = [](const void*, const void*, RawPast, const std::int32_t*, std::int32_t) { return -1; };
    table.player = [](const void* game, const void* state) { return std::get<0>(view(game, state)); };
    table.outcome = [](const void* game, const void* state, RawPast, float* returns) {
      const std::optional<float> outcome = std::get<1>(view(game, state));
      if (outcome) write_returns(*outcome, returns);
      return static_cast<std::int32_t>(outcome.has_value());
    };
    table.hash = [](const void* game, const void* state) { return ask<std::uint64_t>(game, "hash", state); };
    table.evaluation_key = [](const void* game, const void* state, RawPast) {
      return ask<std::uint64_t>(game, "evaluation_key", state);
    };
    table.encode = encode;
    table.symmetry = symmetry;
    table.rollout = rollout;
    table.action_text = [](const void* game, const void* state, std::int32_t action, std::int32_t, char* out,
                           std::uint64_t size) {
      return write(ask<std::string>(game, "action_text", state, action), out, size);
    };
    table.text = [](const void* game, const void* state, char* out, std::uint64_t size) {
      return write(ask<std::string>(game, "text", state), out, size);
    };
    if (has_heuristic)
      table.heuristic = [](const void* game, const void* state) { return ask<float>(game, "heuristic", state); };
    return table;
  }

  nb::object rules_;
  std::string name_;
  Shape shape_{};
  GameTable table_{};
};

}  // namespace

std::shared_ptr<Game> game_of_python(nb::object rules) {
  auto instance = std::make_unique<Instance>(std::move(rules));
  const GameTable& table = instance->table();
  return std::make_shared<Game>(table, instance.release());
}

}  // namespace rlplat
