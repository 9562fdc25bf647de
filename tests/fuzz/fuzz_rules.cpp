// Fuzzes the rules of one game, GAME_HEADER, with libFuzzer: bytes become parameters, a text and moves, and what the
// contract promises is checked at every position. Bytes, in this order:
//   one for each parameter: 0 is its default, others a value in its range
//   the length of a text, and the text: a position (where the game reads positions) and a move
//   one for each move: its place among the legal moves, modulo their number
#include GAME_HEADER

#include <cmath>
#include <cstdlib>
#include <memory>
#include <set>

#include "game/game.hpp"

namespace {

using namespace rlplat;
using Bytes = std::vector<std::byte>;

constexpr int kMovesPerText = 8, kMovesPerRollout = 16;  // these checks take long

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "the game does not keep its contract: %s\n", promise);
  std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  bool is_empty() const { return rest_.empty(); }
  int byte() {
    if (rest_.empty()) return 0;
    const int first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  std::string text() {
    const std::size_t length = std::min<std::size_t>(static_cast<std::size_t>(byte()), rest_.size());
    std::string out(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(length));
    rest_ = rest_.subspan(length);
    return out;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

double value_of(const Parameter& parameter, int byte) {
  if (byte == 0) return parameter.default_value;
  const double range = parameter.maximum - parameter.minimum;
  if (!parameter.is_integer) return parameter.minimum + range * (byte - 1) / 254;
  return parameter.minimum + static_cast<double>((byte - 1) % (static_cast<int>(range) + 1));
}

void check_symmetries(const Game& game) {
  const auto is_permutation = [](std::span<const std::int32_t> indices) {
    const std::set<std::int32_t> all(indices.begin(), indices.end());
    return all.size() == indices.size() && *all.begin() == 0 && *all.rbegin() == static_cast<int>(indices.size()) - 1;
  };
  for (int k = 0; k < game.shape().num_symmetries; ++k)
    require(is_permutation(game.symmetry_cells(k)) && is_permutation(game.symmetry_actions(k)),
            "a symmetry permutes cells and actions");
}

// The game with the parameters that the input begins with, or null where it refuses them. The last one is kept, as most
// inputs in a row ask for the same.
const Game* make_game(Input& input) {
  static std::vector<double> last;
  static std::unique_ptr<const Game> game;
  const GameTable& table = *rlplat_game_table();
  std::vector<double> values;
  for (int i = 0; i < table.num_parameters; ++i) values.push_back(value_of(table.parameters[i], input.byte()));
  if (game != nullptr && values == last) return game.get();
  char error[512] = "";
  void* instance = table.create(values.data(), error, sizeof error);
  require(instance != nullptr || error[0] != 0, "refused parameters come with a reason");
  if (instance == nullptr) return nullptr;
  last = values;
  game = std::make_unique<const Game>(table, instance);
  check_symmetries(*game);
  return game.get();
}

std::vector<std::int32_t> legal_actions(const Game& game, const History& history) {
  // On the heap and not longer than promised, so that AddressSanitizer sees one action too many.
  const std::unique_ptr<std::int32_t[]> room(
      new std::int32_t[static_cast<std::size_t>(game.shape().max_legal_actions)]);
  const int count = game.legal_actions(history.current(), history.past(), room.get());
  require(count >= 1 && count <= game.shape().max_legal_actions, "1 to max_legal_actions are legal until the end");
  const std::vector<std::int32_t> legal(room.get(), room.get() + count);
  require(legal.front() >= 0 && legal.back() < game.shape().num_actions, "actions are 0 to num_actions - 1");
  require(std::ranges::adjacent_find(legal, std::greater_equal()) == legal.end(), "legal actions ascend");
  return legal;
}

Bytes current(const Game& game, const History& history) {
  return {history.current(), history.current() + game.state_size()};
}

void check_planes(const Game& game, const History& history) {
  std::vector<float> planes(game.observation_size(), -1.0f), again = planes;
  game.encode(history.current(), history.past(), planes.data());
  game.encode(history.current(), history.past(), again.data());
  require(planes == again, "planes depend on the position alone");
  for (const float value : planes) require(value >= 0.0f && value <= 1.0f, "planes lie in 0 to 1");
  require(
      game.evaluation_key(history.current(), history.past()) == game.evaluation_key(history.current(), history.past()),
      "keys depend on the position alone");
}

// What must hold in every position, whether the game is over or not; none of it changes the state.
void check_views(const Game& game, const History& history) {
  const int player = game.player(history.current());
  require(player == 0 || player == 1, "the player is 0 or 1");
  check_planes(game, history);
  require(!game.text(history.current()).empty(), "every position has a text");
}

// Of a position that is not over, as others need not be read.
void check_text(const Game& game, const History& history) {
  if (!game.parses_states()) return;
  Bytes read(game.state_size());
  game.parse_state(game.text(history.current()), read.data());
  require(read == current(game, history), "a position that is written is read as the same");
}

bool check_outcome(const Game& game, const History& history, bool from_start) {
  float returns[2];
  if (!game.outcome(history.current(), history.past(), returns)) {
    require(!from_start || history.num_moves() < game.shape().max_length, "no game is longer than max_length");
    return false;
  }
  require(returns[0] == -1.0f || returns[0] == 0.0f || returns[0] == 1.0f, "a return is -1, 0 or 1");
  require(returns[0] + returns[1] == 0.0f, "returns sum to zero");
  require(!from_start || history.num_moves() >= game.shape().min_length, "no game is shorter than min_length");
  return true;
}

void check_action_texts(const Game& game, const History& history, std::span<const std::int32_t> legal,
                        const std::string& other_text) {
  const int num_notations = std::max(1, static_cast<int>(game.notations().size()));
  for (int notation = 0; notation < num_notations; ++notation) {
    std::set<std::string> texts;
    for (const std::int32_t action : legal) {
      const std::string text = game.action_text(history.current(), action, notation);
      require(texts.insert(text).second, "no two legal actions are written alike");
      require(!game.parses_actions() || game.parse_action(history.current(), text) == action,
              "an action that is written is read as the same");
    }
  }
  if (!game.parses_actions()) return;
  const int read = game.parse_action(history.current(), other_text);
  require(read >= -1 && read < game.shape().num_actions, "what is read is an action or -1");
}

void check_knowledge(const Game& game, const History& history, std::span<const std::int32_t> legal) {
  if (game.has_heuristic()) require(std::abs(game.heuristic(history.current())) <= 1.0f, "heuristics lie in -1 to 1");
  History with_self = history;
  with_self.apply(legal.front());
  const int winning = game.winning_action(history.current(), with_self.past(), legal);
  if (winning < 0) return;
  require(std::ranges::binary_search(legal, winning), "a winning action is legal");
  History after = history;
  after.apply(winning);
  float returns[2];
  require(game.outcome(after.current(), after.past(), returns) && returns[game.player(history.current())] == 1.0f,
          "a winning action wins");
}

void check_rollout(const Game& game, const History& history, std::uint64_t seed) {
  Random random(seed), same(seed);
  const float result = game.rollout(history.current(), history.past(), random);
  require(result == -1.0f || result == 0.0f || result == 1.0f, "a rollout ends with -1, 0 or 1");
  require(result == game.rollout(history.current(), history.past(), same), "a rollout depends on its generator alone");
}

// `step` says what the other calls say of the state after `action`, which `after` has reached by `apply`.
void check_step(const Game& game, const History& before, const History& after, int action) {
  Bytes child(game.state_size());
  const std::unique_ptr<std::int32_t[]> room(
      new std::int32_t[static_cast<std::size_t>(game.shape().max_legal_actions)]);
  Step step{.legal = room.get()};
  game.step(before.current(), after.past(), action, child.data(), step);
  float returns[2];
  const bool is_over = game.outcome(after.current(), after.past(), returns);
  require(child == current(game, after), "step applies the action");
  require(step.player == game.player(after.current()) && (step.is_over != 0) == is_over, "step says who moves, if any");
  if (is_over) require(step.returns[0] == returns[0] && step.returns[1] == returns[1], "step says the returns");
  else
    require(
        std::ranges::equal(std::span(room.get(), static_cast<std::size_t>(step.num_legal)), legal_actions(game, after)),
        "step says the legal actions");
}

void check_moves_again(const Game& game, const History& start, const History& history) {
  History again = start;
  for (const std::int32_t action : history.actions()) again.apply(action);
  require(current(game, again) == current(game, history), "the same moves lead to the same state");
}

// Plays the same game with two moves of one player exchanged, at `first` and two plies later, where the rules let it.
// Where that leads to the same position, its hash must not tell that it came about otherwise.
void check_exchanged_moves(const Game& game, const History& start, const History& history, int first) {
  std::vector<std::int32_t> actions(history.actions().begin(), history.actions().end());
  if (actions.size() < 5) return;
  const std::size_t at =
      static_cast<std::size_t>(first) % (actions.size() - 4);  // the last two stay, in case they pass
  std::swap(actions[at], actions[at + 2]);
  History other = start;
  for (const std::int32_t action : actions) {
    float returns[2];
    if (game.outcome(other.current(), other.past(), returns)) return;
    if (!std::ranges::binary_search(legal_actions(game, other), action)) return;
    other.apply(action);
  }
  if (current(game, other) == current(game, history) || game.text(other.current()) != game.text(history.current()))
    return;
  require(game.hash(other.current()) == game.hash(history.current()) ||
              game.player(other.current()) != game.player(history.current()),
          "positions that look alike have equal hashes");
}

History first_position(const Game& game, const std::string& text, bool& from_start) {
  History history(game);
  if (!game.parses_states() || text.empty()) return history;
  Bytes state(game.state_size());
  try {
    game.parse_state(text, state.data());
  } catch (const std::invalid_argument& refusal) {
    require(refusal.what()[0] != 0, "a refused text comes with a reason");
    return history;
  }
  from_start = false;
  history.restart(state.data());
  return history;
}

void play(const Game& game, Input& input) {
  const std::string text = input.text();
  bool from_start = true;
  const History start = first_position(game, text, from_start);
  History history = start;
  check_views(game, history);
  while (!check_outcome(game, history, from_start)) {
    const std::vector<std::int32_t> legal = legal_actions(game, history);
    check_knowledge(game, history, legal);
    check_text(game, history);
    const bool is_last = input.is_empty();
    const int choice = input.byte();
    if (is_last || choice % kMovesPerText == 0) check_action_texts(game, history, legal, text);
    if (choice % kMovesPerRollout == 1) check_rollout(game, history, static_cast<std::uint64_t>(choice));
    if (is_last) break;
    const History before = history;
    const int action = legal[static_cast<std::size_t>(choice) % legal.size()];
    history.apply(action);
    require(current(game, before) == Bytes(history.state(history.num_moves() - 1), history.current()),
            "a move leaves earlier states as they are");
    check_step(game, before, history, action);
    check_views(game, history);
  }
  check_moves_again(game, start, history);
  check_exchanged_moves(game, start, history, history.num_moves() / 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  if (const Game* game = make_game(input)) play(*game, input);
  return 0;
}
