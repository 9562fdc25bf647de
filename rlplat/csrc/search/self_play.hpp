// Self-play of many games at once. Every game has a number; its random generator is seeded from the run's seed and that
// number, so a game depends on nothing else than the evaluations it was given.
#pragma once

#include <mutex>
#include <optional>

#include "search/batch_search.hpp"

namespace rlplat {

struct SelfPlayParams {
  std::uint64_t seed = 0;
  std::int64_t first_game = 0;     // search i plays games first_game + i, first_game + i + game_stride, ...
  std::int64_t game_stride = 1;    // at least num_searches
  int opening_plies = 0;           // a game starts with 0 .. opening_plies random moves, uniformly
  float temperature = 1.0f;        // of the move choice: probabilities visits^(1 / temperature)
  int temperature_plies = 0;       // in the first plies of a game, the opening counted in
  float final_temperature = 0.0f;  // afterwards; 0: the most visited move
  float fast_share = 0.0f;         // of the moves, drawn at random: a fast search without noise, and no policy target
  int fast_simulations = 0;        // of a fast search
  // A player whose search says at most `resign_value` for itself resigns once its move is made; -2: nobody does. A
  // share of the games is played on all the same, which shows how often that would have been wrong.
  float resign_value = -2.0f;
  float played_on_share = 0.0f;
};

// A game, finished or under way. One entry per position from which a move was played.
struct GameRecord {
  std::int64_t number = 0;
  std::uint64_t random_state = 0;
  int opening_plies = 0;
  bool played_on = false;  // nobody resigns
  bool resigned = false;   // it ended so
  float outcome = 0.0f;    // return of player 0, once finished
  std::vector<std::byte> states;
  std::vector<std::uint8_t> players;
  std::vector<std::int32_t> actions;
  std::vector<float> root_values;  // from the view of the player to move; 0 in the opening
  // How far the policy target is from the network's policy, KL(target || priors before noise); 0 without a target.
  std::vector<float> surprises;
  std::vector<std::uint16_t> num_legal;  // entries in `policy`; 0 in the opening and after a fast search
  std::vector<std::uint16_t> policy;     // what a policy should learn, over the legal actions, scaled to 65535
};

// Sizes of a list of records as flat arrays.
struct RecordCounts {
  std::int64_t games = 0, positions = 0, policy = 0;
};

// Flat arrays over games [games], positions [positions] and policy entries [policy], in the order of the records.
struct RecordArrays {
  std::int64_t* number;
  std::uint64_t* random_state;
  std::int32_t* opening_plies;
  std::uint8_t* played_on;
  std::uint8_t* resigned;
  std::int32_t* num_positions;
  float* outcome;
  std::byte* states;  // [positions][state_size]
  std::uint8_t* players;
  std::int32_t* actions;
  float* root_values;
  float* surprises;
  std::uint16_t* num_legal;
  std::uint16_t* policy;
};

RecordCounts count_records(std::span<const GameRecord> records);
void write_records(std::span<const GameRecord> records, const RecordArrays& out);
std::vector<GameRecord> read_records(const RecordCounts& counts, const RecordArrays& from, std::size_t state_size);

class SelfPlay : public BatchSearch {
 public:
  SelfPlay(std::shared_ptr<const Game> game, const SearchParams& search, const BatchParams& batch,
           const SelfPlayParams& params);

  void set_resign_value(float value) { params_.resign_value = value; }

  // Positions with a policy target in finished games that were not taken yet.
  std::int64_t finished_positions() const;
  // Finished games since the last call, by number.
  std::vector<GameRecord> take_finished();
  // Tree::root_noise of the first search of each game that began since the last call, where it had noise, ascending.
  std::vector<std::uint64_t> take_noise();

  // The games under way, one per search; trees and cached evaluations are dropped, here too.
  std::vector<GameRecord> suspend();
  // Goes on with games that suspend() returned, in place of those under way in the same searches. Throws
  // std::invalid_argument if they fit no search, or hold moves or states that this game does not have.
  void resume(std::vector<GameRecord> records);

 private:
  bool start_next(Search& search) override;
  void prepare_root(Search& search) override;
  void finish(Search& search, int worker) override;
  std::string describe(const Search& search) const override;
  void begin_game(Search& search, std::int64_t number);
  // Plays the moves of `record` from the start.
  void replay(const GameRecord& record, History& history) const;
  // Without a policy target unless `is_target`.
  void record_move(Search& search, int action, float root_value, bool is_target);
  // Whether the game is over after the last move, with its outcome in the record; `root_value` of the player that made
  // it.
  bool ends_game(Search& search, float root_value);
  int choose_action(Search& search) const;

  SelfPlayParams params_;
  std::vector<GameRecord> records_;         // under way, one per search
  std::vector<std::int64_t> next_number_;   // per search
  std::vector<std::uint8_t> is_fast_;       // per search
  std::vector<std::vector<float>> priors_;  // per search: those of the root before noise
  mutable std::mutex finished_mutex_;       // of all that follow
  std::vector<GameRecord> finished_;
  std::int64_t finished_positions_ = 0;
  std::vector<std::uint64_t> noise_;
};

}  // namespace rlplat
