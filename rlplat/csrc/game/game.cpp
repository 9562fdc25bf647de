#include "game/game.hpp"

#include <dlfcn.h>

#include <utility>

namespace rlplat {

GameLibrary::GameLibrary(const std::string& path) {
  handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* problem = dlerror();
    throw std::runtime_error(problem != nullptr ? problem : path + ": cannot be loaded");
  }
  const auto symbol = reinterpret_cast<const GameTable* (*)()>(dlsym(handle_, kTableSymbol));
  std::string problem;
  if (symbol == nullptr) {
    problem = path + ": exports no game; end the header with RLPLAT_GAME(\"name\", Struct)";
  } else {
    table_ = symbol();
    if (table_->contract_version != kContractVersion || table_->table_size != sizeof(GameTable))
      problem = path + ": built for game contract version " + std::to_string(table_->contract_version) + " (table of " +
                std::to_string(table_->table_size) + " bytes), this rlplat has version " +
                std::to_string(kContractVersion) + " (" + std::to_string(sizeof(GameTable)) +
                " bytes); compile the header again";
  }
  if (!problem.empty()) {
    dlclose(handle_);
    throw std::runtime_error(problem);
  }
}

GameLibrary::~GameLibrary() {
  if (handle_ != nullptr) dlclose(handle_);
}

void* GameLibrary::release() { return std::exchange(handle_, nullptr); }

Game::Game(const std::string& path, std::span<const double> values) {
  GameLibrary library(path);
  table_ = &library.table();
  if (values.size() != static_cast<std::size_t>(table_->num_parameters))
    throw std::invalid_argument(std::string(table_->name) + ": takes " + std::to_string(table_->num_parameters) +
                                " parameters, got " + std::to_string(values.size()));
  char error[512] = "refused without a reason";
  instance_ = table_->create(values.data(), error, sizeof error);
  if (instance_ == nullptr) throw std::invalid_argument(error);
  read_shape();
  library_ = library.release();
}

Game::Game(const GameTable& table, void* instance) : table_(&table), instance_(instance) { read_shape(); }

void Game::read_shape() {
  table_->shape(instance_, &shape_);
  for (int k = 0; k < shape_.num_symmetries; ++k) {
    symmetry_cells_.resize(symmetry_cells_.size() + num_cells());
    symmetry_actions_.resize(symmetry_actions_.size() + static_cast<std::size_t>(shape_.num_actions));
    table_->symmetry(instance_, k, symmetry_cells_.data() + symmetry_cells_.size() - num_cells(),
                     symmetry_actions_.data() + symmetry_actions_.size() - shape_.num_actions);
  }
}

Game::~Game() {
  table_->destroy(instance_);
  if (library_ != nullptr) dlclose(library_);
}

void Game::encode(const void* state, RawPast past, float* planes) const {
  std::fill_n(planes, observation_size(), 0.0f);
  table_->encode(instance_, state, past, planes);
}

float Game::rollout(const void* state, RawPast past, Random& random) const {
  std::uint64_t word = random.state();
  const float result = table_->rollout(instance_, state, past, &word);
  random = Random(word);
  return result;
}

namespace {

// Calls an snprintf-like function, once more if the first buffer is too small.
template <class Write>
std::string read_text(Write write) {
  std::string out(256, '\0');
  const int size = write(out.data(), out.size());
  if (size >= static_cast<int>(out.size())) {
    out.resize(static_cast<std::size_t>(size) + 1);
    write(out.data(), out.size());
  }
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

std::string Game::action_text(const void* state, int action, int notation) const {
  return read_text(
      [&](char* out, std::size_t size) { return table_->action_text(instance_, state, action, notation, out, size); });
}

std::string Game::text(const void* state) const {
  return read_text([&](char* out, std::size_t size) { return table_->text(instance_, state, out, size); });
}

void Game::parse_state(const std::string& text, void* state) const {
  char error[512] = "refused without a reason";
  if (table_->parse_state(instance_, text.c_str(), state, error, sizeof error) == 0) throw std::invalid_argument(error);
}

std::span<const std::int32_t> Game::symmetry_cells(int k) const {
  return std::span(symmetry_cells_).subspan(static_cast<std::size_t>(k) * num_cells(), num_cells());
}

std::span<const std::int32_t> Game::symmetry_actions(int k) const {
  const auto count = static_cast<std::size_t>(shape_.num_actions);
  return std::span(symmetry_actions_).subspan(static_cast<std::size_t>(k) * count, count);
}

History::History(const Game& game) : game_(&game), stride_(game.state_size()) { restart(); }

void History::restart() {
  actions_.clear();
  states_.resize(stride_);
  game_->initial_state(states_.data());
}

void History::restart(const void* state) {
  actions_.clear();
  const auto* bytes = static_cast<const std::byte*>(state);
  states_.assign(bytes, bytes + stride_);
}

void History::apply(int action) {
  const std::size_t size = states_.size();
  states_.resize(size + stride_);
  std::copy_n(states_.begin() + static_cast<std::ptrdiff_t>(size - stride_), stride_,
              states_.begin() + static_cast<std::ptrdiff_t>(size));
  try {
    game_->apply(states_.data() + size, action);
  } catch (...) {
    states_.resize(size);
    throw;
  }
  actions_.push_back(action);
}

RawPast History::past_of(int index) const {
  if (!game_->looks_back()) return {nullptr, 0};
  const int reach = game_->shape().past_length;
  const int length = reach < 0 ? index : std::min(reach, index);
  thread_local std::vector<const void*> pointers;
  pointers.clear();
  for (int age = 1; age <= length; ++age) pointers.push_back(state(index - age));
  return {pointers.data(), length};
}

}  // namespace rlplat
