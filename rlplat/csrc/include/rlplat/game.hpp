// The contract between the search and the rules of a game. A game is one header: a struct that fulfils the concept
// `Rules` below, and one line `RLPLAT_GAME(name, Struct)`. The macro turns it into a table of plain C functions, which
// is all that the compiled library exports; the search sees the table only.
//
// Two players, 0 and 1; zero-sum. A value is always from the view of the player to move unless a comment says
// otherwise. A state is fixed-size and trivially copyable; it describes the position, not how it came about. Rules that
// look back (superko, repetition, history planes) take one more argument, the past: the earlier states of the game,
// newest first. No state carries history.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "rlplat/random.hpp"

namespace rlplat {

// Raised by one whenever the table or the meaning of a call changes: a library of another version is refused.
inline constexpr std::uint32_t kContractVersion = 3;

// A parameter of a game, such as the number of rows.
struct Parameter {
  const char* name;
  double default_value;
  double minimum;
  double maximum;
  std::int32_t is_integer;
  const char* description;
};

// Sizes of a game with its parameters set.
struct Shape {
  std::int32_t num_actions;        // actions are 0 .. num_actions - 1
  std::int32_t max_legal_actions;  // no state has more legal actions
  std::int32_t num_planes;         // encode() fills [num_planes][height][width]
  std::int32_t height;
  std::int32_t width;
  std::int32_t min_length;  // plies of the shortest game
  std::int32_t max_length;  // no game has more plies
  std::int32_t num_symmetries = 1;
  // Plies from which on `exact_score` answers within seconds; -1: these parameters have none. The macro says -1 for
  // rules without `exact_score`.
  std::int32_t exact_score_from = 0;
  std::int32_t state_size = 0;  // bytes; set by the macro
  std::int32_t past_length =
      0;  // earlier states that the rules read; -1: all; set by the macro from Rules::kPastLength
};

// Earlier states of the game, newest first.
struct RawPast {
  const void* const* states;
  std::int32_t length;
};

// What `GameTable::step` says of the new state.
struct Step {
  std::int32_t player;
  std::int32_t is_over;
  float returns[2];        // set if the game is over
  std::int32_t num_legal;  // set if it is not
  std::int32_t* legal;     // room for max_legal_actions, given by the caller
};

template <class State>
class Past {
 public:
  explicit Past(RawPast raw) : raw_(raw) {}
  int size() const { return raw_.length; }
  const State& operator[](int age) const { return *static_cast<const State*>(raw_.states[age]); }

 private:
  RawPast raw_;
};

// What rules must offer. `Shape shape() const`, `State initial_state() const`; legal actions in ascending order, at
// least one in a state without an outcome; `outcome` is the return of player 0 (-1, 0 or 1) once the game has ended;
// equal positions have equal hashes; `encode` fills planes from the view of the player to move, buffer zeroed before.
// Optional are `int winning_action(state)`, `float heuristic(state)`, `int exact_score(state)`,
// `int parse_action(state, text)` and `State parse_state(text)`, explained at the table's slots.
// `legal_actions`, `outcome`, `encode`, `evaluation_key`, `rollout` and `exact_score` may take `Past<State>` as a
// further argument after the state; the constant `kPastLength` then says how far back they look (-1: to the start). A
// game that writes its actions in several ways names these in a constant array `kNotations`, its own way first, and its
// `action_text` takes the index of one as a further argument.
template <class G>
concept Rules = requires(const G& game, typename G::State& state, const typename G::State& position, int action) {
  requires std::is_trivially_copyable_v<typename G::State>;
  // No padding and no floats: states are compared, stored and hashed as bytes. Fill gaps with fields of their own.
  requires std::has_unique_object_representations_v<typename G::State>;
  { G::parameters() } -> std::convertible_to<std::span<const Parameter>>;
  requires std::constructible_from<G, std::span<const double>>;
  { game.shape() } -> std::same_as<Shape>;
  { game.initial_state() } -> std::same_as<typename G::State>;
  { game.apply(state, action) } -> std::same_as<void>;
  { game.player(position) } -> std::convertible_to<int>;
  { game.hash(position) } -> std::same_as<std::uint64_t>;
  requires requires {
    { game.action_text(position, action) } -> std::convertible_to<std::string>;
  } || requires {
    { game.action_text(position, action, int{}) } -> std::convertible_to<std::string>;
  };
  { game.text(position) } -> std::convertible_to<std::string>;
};

// The table. Every call takes the game's instance first. Optional slots are null where a game has nothing to offer.
struct GameTable {
  std::uint32_t contract_version;
  std::uint32_t table_size;
  const char* name;
  const Parameter* parameters;
  std::int32_t num_parameters;
  const char* const* notations;  // ways to write an action; none where there is only one, which needs no name
  std::int32_t num_notations;

  // The instance, or null with a message in `error`.
  void* (*create)(const double* values, char* error, std::uint64_t error_size);
  void (*destroy)(void* game);
  void (*shape)(const void* game, Shape* out);
  void (*initial_state)(const void* game, void* state);
  std::int32_t (*legal_actions)(const void* game, const void* state, RawPast past, std::int32_t* out);
  void (*apply)(const void* game, void* state, std::int32_t action);
  // All that a new node of a tree needs, in one call: copies `parent` to `child`, applies the action, and fills in what
  // the others would say of the child. `past` begins with the parent.
  void (*step)(const void* game, const void* parent, RawPast past, std::int32_t action, void* child, Step* out);
  // A legal action that ends the game at once and wins it for the player to move, or -1. Asked at every leaf of a
  // search that proves results, so a game may answer -1 where it is dear to find out. Where the rules do not say, all
  // actions are tried. `past` begins with the state itself; `legal` are all legal actions.
  std::int32_t (*winning_action)(const void* game, const void* state, RawPast past, const std::int32_t* legal,
                                 std::int32_t num_legal);
  std::int32_t (*player)(const void* game, const void* state);
  // 1 when the game has ended, with the return of each player.
  std::int32_t (*outcome)(const void* game, const void* state, RawPast past, float* returns);
  std::uint64_t (*hash)(const void* game, const void* state);
  // Equal keys mean equal planes, equal legal actions and equal results from here on; the hash where rules forget.
  std::uint64_t (*evaluation_key)(const void* game, const void* state, RawPast past);
  void (*encode)(const void* game, const void* state, RawPast past, float* planes);
  // Permutations: new_planes[c][i] = planes[c][cells[i]], new_policy[a] = policy[actions[a]]. Symmetry 0 is identity.
  void (*symmetry)(const void* game, std::int32_t index, std::int32_t* cells, std::int32_t* actions);
  // Plays random legal moves to the end; the return of player 0.
  float (*rollout)(const void* game, const void* state, RawPast past, std::uint64_t* random_state);
  // Bytes needed without the closing zero, as snprintf.
  std::int32_t (*action_text)(const void* game, const void* state, std::int32_t action, std::int32_t notation,
                              char* out, std::uint64_t size);
  std::int32_t (*text)(const void* game, const void* state, char* out, std::uint64_t size);

  // Optional: a static evaluation in [-1, 1] from the view of the player to move, 0 where nobody is ahead. Asked of
  // positions that are not over.
  float (*heuristic)(const void* game, const void* state);
  // Optional: what perfect play leads to, from the view of the player to move: positive for a win, negative for a loss,
  // 0 for a draw, in a unit of the game's own in which more is better. Also of positions that are over. Any number of
  // threads may call it. See Shape::exact_score_from.
  std::int32_t (*exact_score)(const void* game, const void* state, RawPast past);
  // Optional: the legal action that a text means, which need not be one of `action_text` (a vertex in small letters, a
  // move without its check mark), or -1. Where there is none, the texts of all legal actions are compared.
  std::int32_t (*parse_action)(const void* game, const void* state, const char* text);
  // Optional: makes `state` the position that a text describes; at least what `text` writes is understood. 0, with a
  // message in `error`, where the text describes none that play could start from.
  std::int32_t (*parse_state)(const void* game, const char* text, void* state, char* error, std::uint64_t error_size);
};

inline constexpr const char* kTableSymbol = "rlplat_game_table";

namespace detail {

template <class G>
inline constexpr int kPastLength = [] {
  if constexpr (requires { G::kPastLength; }) return static_cast<int>(G::kPastLength);
  else return 0;
}();

template <Rules G>
struct Adapter {
  using State = typename G::State;
  static constexpr bool kHasHeuristic = requires(const G& rules, const State& state) { rules.heuristic(state); };
  static constexpr bool kHasExactScore = requires(const G& rules, const State& state) {
    rules.exact_score(state);
  } || requires(const G& rules, const State& state, Past<State> past) { rules.exact_score(state, past); };
  static constexpr bool kParsesActions =
      requires(const G& rules, const State& state, const char* text) { rules.parse_action(state, text); };
  static constexpr bool kParsesStates = requires(const G& rules, const char* text) { rules.parse_state(text); };

  static const G& self(const void* game) { return *static_cast<const G*>(game); }
  static const State& view(const void* state) { return *static_cast<const State*>(state); }

  static int legal_actions_of(const G& game, const State& state, RawPast past, std::int32_t* out) {
    if constexpr (requires { game.legal_actions(state, Past<State>(past), out); })
      return game.legal_actions(state, Past<State>(past), out);
    else return game.legal_actions(state, out);
  }

  static std::optional<float> outcome_of(const G& game, const State& state, RawPast past) {
    if constexpr (requires { game.outcome(state, Past<State>(past)); }) return game.outcome(state, Past<State>(past));
    else return game.outcome(state);
  }

  static void* create(const double* values, char* error, std::uint64_t error_size) {
    try {
      return new G(std::span<const double>(values, G::parameters().size()));
    } catch (const std::exception& problem) {
      std::snprintf(error, error_size, "%s", problem.what());
      return nullptr;
    }
  }

  static void shape(const void* game, Shape* out) {
    *out = self(game).shape();
    out->state_size = sizeof(State);
    out->past_length = kPastLength<G>;
    if constexpr (!kHasExactScore) out->exact_score_from = -1;
  }

  static void initial_state(const void* game, void* state) { new (state) State(self(game).initial_state()); }

  static std::int32_t legal_actions(const void* game, const void* state, RawPast past, std::int32_t* out) {
    return legal_actions_of(self(game), view(state), past, out);
  }

  static void apply(const void* game, void* state, std::int32_t action) {
    self(game).apply(*static_cast<State*>(state), action);
  }

  static void step(const void* game, const void* parent, RawPast past, std::int32_t action, void* child, Step* out) {
    const G& rules = self(game);
    State& state = *new (child) State(view(parent));
    rules.apply(state, action);
    out->player = rules.player(state);
    const std::optional<float> result = outcome_of(rules, state, past);
    out->is_over = result.has_value();
    if (result) {
      out->returns[0] = *result;
      out->returns[1] = -*result;
    } else {
      out->num_legal = legal_actions_of(rules, state, past, out->legal);
    }
  }

  static std::int32_t winning_action(const void* game, const void* state, RawPast past, const std::int32_t* legal,
                                     std::int32_t num_legal) {
    const G& rules = self(game);
    if constexpr (requires { rules.winning_action(view(state)); }) return rules.winning_action(view(state));
    else {
      const float win = rules.player(view(state)) == 0 ? 1.0f : -1.0f;
      for (std::int32_t i = 0; i < num_legal; ++i) {
        State after = view(state);
        rules.apply(after, legal[i]);
        if (outcome_of(rules, after, past) == win) return legal[i];
      }
      return -1;
    }
  }

  static std::int32_t player(const void* game, const void* state) { return self(game).player(view(state)); }

  static std::int32_t outcome(const void* game, const void* state, RawPast past, float* returns) {
    const std::optional<float> result = outcome_of(self(game), view(state), past);
    if (!result) return 0;
    returns[0] = *result;
    returns[1] = -*result;
    return 1;
  }

  static std::uint64_t hash(const void* game, const void* state) { return self(game).hash(view(state)); }

  static std::uint64_t evaluation_key(const void* game, const void* state, RawPast past) {
    const G& rules = self(game);
    if constexpr (requires { rules.evaluation_key(view(state), Past<State>(past)); })
      return rules.evaluation_key(view(state), Past<State>(past));
    else if constexpr (requires { rules.evaluation_key(view(state)); }) return rules.evaluation_key(view(state));
    else {
      static_assert(kPastLength<G> == 0, "rules that look back must say what an evaluation depends on: evaluation_key");
      return rules.hash(view(state));
    }
  }

  static void encode(const void* game, const void* state, RawPast past, float* planes) {
    const G& rules = self(game);
    if constexpr (requires { rules.encode(view(state), Past<State>(past), planes); })
      rules.encode(view(state), Past<State>(past), planes);
    else rules.encode(view(state), planes);
  }

  static void symmetry(const void* game, std::int32_t index, std::int32_t* cells, std::int32_t* actions) {
    const G& rules = self(game);
    if constexpr (requires { rules.symmetry(int{}, cells, actions); }) rules.symmetry(index, cells, actions);
    else {
      const Shape sizes = rules.shape();
      for (int i = 0; i < sizes.height * sizes.width; ++i) cells[i] = i;
      for (int a = 0; a < sizes.num_actions; ++a) actions[a] = a;
    }
  }

  static float rollout(const void* game, const void* state, RawPast past, std::uint64_t* random_state) {
    const G& rules = self(game);
    Random random(*random_state);
    float result;
    if constexpr (requires { rules.rollout(view(state), Past<State>(past), random); })
      result = rules.rollout(view(state), Past<State>(past), random);
    else if constexpr (requires { rules.rollout(view(state), random); }) result = rules.rollout(view(state), random);
    else result = random_game(rules, view(state), past, random);
    *random_state = random.state();
    return result;
  }

  // The general rollout. Rules that look back see every state of the rollout, kept in a buffer filled from its end.
  static float random_game(const G& rules, State state, RawPast past, Random& random) {
    thread_local std::vector<std::int32_t> legal;
    legal.resize(static_cast<std::size_t>(rules.shape().max_legal_actions));
    if constexpr (kPastLength<G> == 0) {
      for (;;) {
        if (const std::optional<float> result = outcome_of(rules, state, past)) return *result;
        const int count = legal_actions_of(rules, state, past, legal.data());
        rules.apply(state, legal[random.below(static_cast<std::uint32_t>(count))]);
      }
    } else {
      const int length = rules.shape().max_length + 1;
      thread_local std::vector<State> states;
      thread_local std::vector<const void*> trail;
      states.resize(static_cast<std::size_t>(length), state);
      trail.resize(static_cast<std::size_t>(length + past.length));
      int front = length;
      std::copy(past.states, past.states + past.length, trail.begin() + length);
      for (;;) {
        const int known = length + past.length - front;
        const RawPast now{trail.data() + front, kPastLength<G> < 0 ? known : std::min(kPastLength<G>, known)};
        if (const std::optional<float> result = outcome_of(rules, state, now)) return *result;
        const int count = legal_actions_of(rules, state, now, legal.data());
        --front;
        states[static_cast<std::size_t>(front)] = state;
        trail[static_cast<std::size_t>(front)] = &states[static_cast<std::size_t>(front)];
        rules.apply(state, legal[random.below(static_cast<std::uint32_t>(count))]);
      }
    }
  }

  static std::int32_t write(const std::string& value, char* out, std::uint64_t size) {
    return std::snprintf(out, size, "%s", value.c_str());
  }

  static std::int32_t action_text(const void* game, const void* state, std::int32_t action, std::int32_t notation,
                                  char* out, std::uint64_t size) {
    if constexpr (requires { G::kNotations; })
      return write(self(game).action_text(view(state), action, notation), out, size);
    else return write(self(game).action_text(view(state), action), out, size);
  }

  static std::int32_t text(const void* game, const void* state, char* out, std::uint64_t size) {
    return write(self(game).text(view(state)), out, size);
  }

  static float heuristic(const void* game, const void* state) {
    if constexpr (kHasHeuristic) return self(game).heuristic(view(state));
    else return 0.0f;
  }

  static std::int32_t exact_score(const void* game, const void* state, RawPast past) {
    if constexpr (requires(const G& rules) { rules.exact_score(view(state), Past<State>(past)); })
      return self(game).exact_score(view(state), Past<State>(past));
    else if constexpr (kHasExactScore) return self(game).exact_score(view(state));
    else return 0;
  }

  static std::int32_t parse_action(const void* game, const void* state, const char* text) {
    if constexpr (kParsesActions) return self(game).parse_action(view(state), text);
    else return -1;
  }

  static std::int32_t parse_state(const void* game, const char* text, void* state, char* error,
                                  std::uint64_t error_size) {
    if constexpr (kParsesStates) {
      try {
        new (state) State(self(game).parse_state(text));
        return 1;
      } catch (const std::exception& problem) {
        std::snprintf(error, error_size, "%s", problem.what());
      }
    }
    return 0;
  }

  static std::span<const char* const> notations() {
    if constexpr (requires { G::kNotations; }) return G::kNotations;
    else return {};
  }

  static GameTable table(const char* name) {
    const std::span<const Parameter> parameters = G::parameters();
    return GameTable{
        .contract_version = kContractVersion,
        .table_size = sizeof(GameTable),
        .name = name,
        .parameters = parameters.data(),
        .num_parameters = static_cast<std::int32_t>(parameters.size()),
        .notations = notations().data(),
        .num_notations = static_cast<std::int32_t>(notations().size()),
        .create = create,
        .destroy = [](void* game) { delete static_cast<G*>(game); },
        .shape = shape,
        .initial_state = initial_state,
        .legal_actions = legal_actions,
        .apply = apply,
        .step = step,
        .winning_action = winning_action,
        .player = player,
        .outcome = outcome,
        .hash = hash,
        .evaluation_key = evaluation_key,
        .encode = encode,
        .symmetry = symmetry,
        .rollout = rollout,
        .action_text = action_text,
        .text = text,
        .heuristic = kHasHeuristic ? heuristic : nullptr,
        .exact_score = kHasExactScore ? exact_score : nullptr,
        .parse_action = kParsesActions ? parse_action : nullptr,
        .parse_state = kParsesStates ? parse_state : nullptr,
    };
  }
};

}  // namespace detail
}  // namespace rlplat

#define RLPLAT_GAME(name, Struct)                                                                    \
  static_assert(::rlplat::Rules<Struct>, #Struct " does not fulfil rlplat::Rules");                  \
  extern "C" __attribute__((visibility("default"))) const ::rlplat::GameTable* rlplat_game_table() { \
    static const ::rlplat::GameTable table = ::rlplat::detail::Adapter<Struct>::table(name);         \
    return &table;                                                                                   \
  }
