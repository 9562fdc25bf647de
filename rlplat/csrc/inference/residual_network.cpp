#include "inference/residual_network.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace rlplat {
namespace {

// Tiles that one product works on: enough to use each filter often, few enough for the level-two cache.
constexpr int kTilesAtOnce = 24;

const NetworkShape& checked(const NetworkShape& shape) {
  const int sizes[] = {shape.planes,          shape.height,         shape.width,        shape.channels,
                       shape.policy_channels, shape.value_channels, shape.value_hidden, shape.num_actions};
  if (*std::min_element(std::begin(sizes), std::end(sizes)) < 1 || shape.blocks < 0)
    throw std::invalid_argument("ResidualNetwork: every size must be at least 1 and blocks at least 0");
  if (shape.policy_planes != 0 && shape.policy_planes * shape.height * shape.width != shape.num_actions)
    throw std::invalid_argument("ResidualNetwork: " + std::to_string(shape.policy_planes) +
                                " policy planes do not make " + std::to_string(shape.num_actions) + " actions");
  if (shape.num_value_logits != 1 && shape.num_value_logits != 3)
    throw std::invalid_argument("ResidualNetwork: num_value_logits is " + std::to_string(shape.num_value_logits) +
                                "; it must be 1 or 3");
  return shape;
}

float expected_value(const float* logits, int num_logits) {
  if (num_logits == 1) return std::tanh(logits[0]);
  const float most = std::max({logits[0], logits[1], logits[2]});
  const float win = std::exp(logits[0] - most), draw = std::exp(logits[1] - most), loss = std::exp(logits[2] - most);
  return (win - loss) / (win + draw + loss);
}

}  // namespace

// Takes the parameters one after another and checks their sizes.
class ResidualNetwork::Reader {
 public:
  explicit Reader(std::span<const std::span<const float>> parameters) : parameters_(parameters) {}

  const float* take(std::size_t size) {
    if (next_ == parameters_.size() || parameters_[next_].size() != size) {
      const std::size_t found = next_ == parameters_.size() ? 0 : parameters_[next_].size();
      throw std::invalid_argument("ResidualNetwork: parameter " + std::to_string(next_) + " has " +
                                  std::to_string(found) + " floats; this network needs " + std::to_string(size));
    }
    return parameters_[next_++].data();
  }

  void finish() const {
    if (next_ != parameters_.size())
      throw std::invalid_argument("ResidualNetwork: got " + std::to_string(parameters_.size()) +
                                  " parameters; this network needs " + std::to_string(next_));
  }

 private:
  std::span<const std::span<const float>> parameters_;
  std::size_t next_ = 0;
};

void ResidualNetwork::Layer::run(int rows, const float* input, float* output, bool rectified) const {
  kernels.multiply(rows, weights.inner(), weights.columns(), input, weights.data(), output);
  kernels.add_bias(rows, weights.columns(), bias.data(), rectified, output);
}

ResidualNetwork::ResidualNetwork(const NetworkShape& shape, int num_threads, const Kernels& kernels)
    : shape_(checked(shape)),
      area_(shape.height * shape.width),
      num_features_(padded(shape.policy_channels + shape.value_channels, kernels.lanes)),
      features_(padded(shape.channels, kernels.lanes), num_features_, kernels),
      policy_(shape.policy_planes ? num_features_ : area_ * num_features_,
              shape.policy_planes ? shape.policy_planes : shape.num_actions, kernels),
      hidden_(area_ * num_features_, shape.value_hidden, kernels),
      value_(padded(shape.value_hidden, kernels.lanes), shape.num_value_logits, kernels),
      workers_(num_threads) {
  convolutions_.emplace_back(shape.height, shape.width, shape.planes, shape.channels, kernels);
  for (int layer = 0; layer < 2 * shape.blocks; ++layer)
    convolutions_.emplace_back(shape.height, shape.width, shape.channels, shape.channels, kernels);

  const Convolution& stem = convolutions_.front();
  boards_at_once_ = (kTilesAtOnce + stem.num_tiles() - 1) / stem.num_tiles();
  const std::size_t boards = boards_at_once_;
  const Layout planes = stem.layout(shape.planes), board = stem.layout(shape.channels);
  for (int worker = 0; worker < workers_.size(); ++worker) {
    Scratch scratch;
    scratch.observations = Buffer(boards * planes.board * planes.channels);
    scratch.activations = Buffer(boards * board.board * board.channels);
    scratch.inner = Buffer(boards * board.board * board.channels);
    scratch.tower = Buffer(boards * area_ * board.channels);
    scratch.winograd =
        Buffer(std::max(stem.scratch_size(boards_at_once_), convolutions_.back().scratch_size(boards_at_once_)));
    scratch.features = Buffer(boards * area_ * num_features_);
    scratch.policy = Buffer(boards * (shape.policy_planes ? area_ : 1) * policy_.weights.columns());
    scratch.hidden = Buffer(boards * hidden_.weights.columns());
    scratch.value = Buffer(boards * value_.weights.columns());
    scratch_.push_back(std::move(scratch));
  }
}

void ResidualNetwork::set_weights(std::span<const std::span<const float>> parameters) {
  Reader reader(parameters);
  int inputs = shape_.planes;
  for (Convolution& convolution : convolutions_) {
    const float* weight = reader.take(static_cast<std::size_t>(shape_.channels) * inputs * 9);
    convolution.set_weights(weight, reader.take(shape_.channels));
    inputs = shape_.channels;
  }
  read_features(reader, 0, shape_.policy_channels);
  if (shape_.policy_planes) read_planes(reader);
  else read_layer(reader, 0, shape_.policy_channels, policy_, shape_.num_actions);
  read_features(reader, shape_.policy_channels, shape_.value_channels);
  read_layer(reader, shape_.policy_channels, shape_.value_channels, hidden_, shape_.value_hidden);
  const float* weight = reader.take(static_cast<std::size_t>(shape_.num_value_logits) * shape_.value_hidden);
  for (int output = 0; output < shape_.num_value_logits; ++output)
    for (int unit = 0; unit < shape_.value_hidden; ++unit) value_.weights.at(0, unit, output) = *weight++;
  std::copy_n(reader.take(shape_.num_value_logits), shape_.num_value_logits, value_.bias.data());
  reader.finish();
}

// Reads the 1x1 convolution of a head, whose features begin at `first`.
void ResidualNetwork::read_features(Reader& reader, int first, int num_features) {
  const float* weight = reader.take(static_cast<std::size_t>(num_features) * shape_.channels);
  const float* bias = reader.take(num_features);
  for (int feature = 0; feature < num_features; ++feature) {
    for (int channel = 0; channel < shape_.channels; ++channel)
      features_.weights.at(0, channel, first + feature) = weight[feature * shape_.channels + channel];
    features_.bias.data()[first + feature] = bias[feature];
  }
}

// Reads a layer over the features of one head at all cells.
void ResidualNetwork::read_layer(Reader& reader, int first, int num_features, Layer& layer, int num_outputs) {
  const float* weight = reader.take(static_cast<std::size_t>(num_outputs) * num_features * area_);
  std::copy_n(reader.take(num_outputs), num_outputs, layer.bias.data());
  for (int output = 0; output < num_outputs; ++output)
    for (int feature = 0; feature < num_features; ++feature)
      for (int cell = 0; cell < area_; ++cell)
        layer.weights.at(0, cell * num_features_ + first + feature, output) = *weight++;
}

// Reads the 1x1 convolution from the features of the policy to its planes.
void ResidualNetwork::read_planes(Reader& reader) {
  const float* weight = reader.take(static_cast<std::size_t>(shape_.policy_planes) * shape_.policy_channels);
  for (int plane = 0; plane < shape_.policy_planes; ++plane)
    for (int feature = 0; feature < shape_.policy_channels; ++feature)
      policy_.weights.at(0, feature, plane) = *weight++;
  std::copy_n(reader.take(shape_.policy_planes), shape_.policy_planes, policy_.bias.data());
}

void ResidualNetwork::evaluate(int count, const float* observations, float* logits, float* values) {
  const int parts = (count + boards_at_once_ - 1) / boards_at_once_;
  workers_.run(parts, [&](int part, int worker) {
    const std::size_t first = static_cast<std::size_t>(part) * boards_at_once_;
    const int boards = std::min(boards_at_once_, count - static_cast<int>(first));
    evaluate_boards(boards, observations + first * shape_.planes * area_, logits + first * shape_.num_actions,
                    values + first, scratch_[worker]);
  });
}

void ResidualNetwork::evaluate_boards(int boards, const float* observations, float* logits, float* values,
                                      Scratch& scratch) const {
  const Convolution& stem = convolutions_.front();
  const Layout planes = stem.layout(shape_.planes);
  for (int board = 0; board < boards; ++board)
    for (int plane = 0; plane < shape_.planes; ++plane)
      for (int y = 0; y < shape_.height; ++y)
        for (int x = 0; x < shape_.width; ++x)
          scratch.observations
              .data()[(board * planes.board + planes.first + y * planes.row + x) * planes.channels + plane] =
              *observations++;

  float* x = scratch.activations.data();
  float* inner = scratch.inner.data();
  float* winograd = scratch.winograd.data();
  stem.run(boards, scratch.observations.data(), winograd, nullptr, x);
  for (std::size_t layer = 1; layer < convolutions_.size(); layer += 2) {
    convolutions_[layer].run(boards, x, winograd, nullptr, inner);
    convolutions_[layer + 1].run(boards, inner, winograd, x, x);
  }

  const Layout layout = stem.layout(shape_.channels);
  float* tower = scratch.tower.data();
  for (int board = 0; board < boards; ++board)
    for (int y = 0; y < shape_.height; ++y, tower += shape_.width * layout.channels)
      std::memcpy(tower, x + (board * layout.board + layout.first + y * layout.row) * layout.channels,
                  shape_.width * layout.channels * sizeof(float));
  run_heads(boards, logits, values, scratch);
}

void ResidualNetwork::run_heads(int boards, float* logits, float* values, Scratch& scratch) const {
  features_.run(boards * area_, scratch.tower.data(), scratch.features.data(), true);
  policy_.run(boards * (shape_.policy_planes ? area_ : 1), scratch.features.data(), scratch.policy.data(), false);
  hidden_.run(boards, scratch.features.data(), scratch.hidden.data(), true);
  value_.run(boards, scratch.hidden.data(), scratch.value.data(), false);
  copy_logits(boards, scratch.policy.data(), logits);
  for (int board = 0; board < boards; ++board)
    values[board] = expected_value(scratch.value.data() + board * value_.weights.columns(), shape_.num_value_logits);
}

// From padded rows: one for each board, or with planes one for each cell.
void ResidualNetwork::copy_logits(int boards, const float* policy, float* logits) const {
  const int columns = policy_.weights.columns();
  for (int board = 0; board < boards; ++board, logits += shape_.num_actions) {
    if (shape_.policy_planes == 0) {
      std::memcpy(logits, policy + static_cast<std::size_t>(board) * columns, shape_.num_actions * sizeof(float));
      continue;
    }
    const float* cells = policy + static_cast<std::size_t>(board) * area_ * columns;
    for (int plane = 0; plane < shape_.policy_planes; ++plane)
      for (int cell = 0; cell < area_; ++cell) logits[plane * area_ + cell] = cells[cell * columns + plane];
  }
}

}  // namespace rlplat
