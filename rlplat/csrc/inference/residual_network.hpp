// The two-headed residual network, evaluated on the CPU: batch normalisation is folded into the convolutions.
#pragma once

#include <span>
#include <vector>

#include "inference/convolution.hpp"
#include "search/worker_threads.hpp"

namespace rlplat {

struct NetworkShape {
  int planes, height, width;
  int blocks, channels;
  int policy_channels, value_channels, value_hidden;
  int num_actions;
  int policy_planes;     // of logits, one for each cell, which actions number plane by plane; 0: a layer over all cells
  int num_value_logits;  // 1: tanh of it is the value; 3: win, draw and loss before softmax
};

class ResidualNetwork {
 public:
  // Throws std::invalid_argument for sizes below 1 and other numbers of value logits than 1 and 3. The kernels may be
  // others than the fastest in tests.
  ResidualNetwork(const NetworkShape& shape, int num_threads, const Kernels& kernels = fastest_kernels());

  // Weight and bias of: stem, first and second convolution of each block, policy features, policy output, value
  // features, value hidden, value output; in row-major order with outputs first. Throws std::invalid_argument if their
  // number or sizes are of another network.
  void set_weights(std::span<const std::span<const float>> parameters);

  // observations `[count][planes][height][width]` -> logits `[count][num_actions]`, values `[count]` from the view of
  // the player to move. The result for a position does not depend on the others in its batch, nor on the threads.
  void evaluate(int count, const float* observations, float* logits, float* values);

  const NetworkShape& shape() const { return shape_; }

 private:
  struct Scratch {
    Buffer observations, activations, inner, tower, winograd, features, policy, hidden, value;
  };
  // A fully connected layer, or a 1x1 convolution with a row for each cell.
  struct Layer {
    Layer(int inputs, int outputs, const Kernels& kernels)
        : kernels(kernels),
          weights(1, inputs, padded(outputs, kernels.lanes), kernels),
          bias(padded(outputs, kernels.lanes)) {}
    void run(int rows, const float* input, float* output, bool rectified) const;
    const Kernels& kernels;
    PackedMatrices weights;
    Buffer bias;
  };

  class Reader;
  void read_features(Reader& reader, int first, int num_features);
  void read_layer(Reader& reader, int first, int num_features, Layer& layer, int num_outputs);
  void read_planes(Reader& reader);
  void evaluate_boards(int boards, const float* observations, float* logits, float* values, Scratch& scratch) const;
  void run_heads(int boards, float* logits, float* values, Scratch& scratch) const;
  void copy_logits(int boards, const float* policy, float* logits) const;

  NetworkShape shape_;
  int area_;
  int num_features_;  // of both heads, padded
  int boards_at_once_;
  std::vector<Convolution> convolutions_;  // stem, then two for each block
  Layer features_;                         // of both heads
  Layer policy_, hidden_, value_;          // policy output, value hidden, value output
  std::vector<Scratch> scratch_;           // one for each worker
  WorkerThreads workers_;
};

}  // namespace rlplat
