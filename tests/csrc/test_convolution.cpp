// The convolution by Winograd's filtering against the sum that defines it, on sides of every remainder.
#include <cmath>
#include <cstdlib>
#include <vector>

#include "check.hpp"
#include "inference/convolution.hpp"
#include "rlplat/random.hpp"

using namespace rlplat;

namespace {

float random_float(Random& random) { return static_cast<float>(random.uniform()) - 0.5f; }

struct Board {
  int height, width, channels;
  std::vector<float> cells;  // [height][width][channels]
  float at(int y, int x, int channel) const {
    return y < 0 || y >= height || x < 0 || x >= width ? 0.0f : cells[(y * width + x) * channels + channel];
  }
};

void check_board(int height, int width, int inputs, int outputs, const Kernels& kernels) {
  Random random(static_cast<std::uint64_t>(height * 100 + width));
  std::vector<float> weight(outputs * inputs * 9), bias(outputs);
  for (float& x : weight) x = random_float(random);
  for (float& x : bias) x = random_float(random);
  Board board{height, width, inputs, std::vector<float>(height * width * inputs)};
  for (float& x : board.cells) x = random_float(random);

  Convolution convolution(height, width, inputs, outputs, kernels);
  convolution.set_weights(weight.data(), bias.data());
  const Layout from = convolution.layout(inputs), to = convolution.layout(outputs);
  const int boards = 2;
  Buffer input(boards * from.board * from.channels), output(boards * to.board * to.channels);
  Buffer scratch(convolution.scratch_size(boards));
  const auto cell = [](const Buffer& buffer, const Layout& layout, int index, int y, int x) {
    return buffer.data() + (index * layout.board + layout.first + y * layout.row + x) * layout.channels;
  };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int channel = 0; channel < inputs; ++channel) cell(input, from, 1, y, x)[channel] = board.at(y, x, channel);

  convolution.run(boards, input.data(), scratch.data(), nullptr, output.data());
  double worst = 0.0;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int channel = 0; channel < outputs; ++channel) {
        double sum = bias[channel];
        for (int inner = 0; inner < inputs; ++inner)
          for (int tap = 0; tap < 9; ++tap)
            sum += weight[(channel * inputs + inner) * 9 + tap] * board.at(y + tap / 3 - 1, x + tap % 3 - 1, inner);
        worst = std::max(worst, std::abs(std::max(sum, 0.0) - cell(output, to, 1, y, x)[channel]));
        CHECK(cell(output, to, 0, y, x)[channel] == std::max(bias[channel], 0.0f));
      }
  CHECK(worst < 1e-5);
  for (int channel = 0; channel < outputs; ++channel) {
    CHECK(output.data()[channel] == 0.0f);  // the border stays empty
    CHECK(cell(output, to, 0, height, 0)[channel] == 0.0f);
  }
}

// What this processor can run, the narrowest first.
std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> all{&narrow_kernels};
  if (&fastest_kernels() != &narrow_kernels) all.push_back(&fastest_kernels());
  return all;
}

}  // namespace

TEST(sides_of_every_remainder_equal_the_direct_sum) {
  for (const Kernels* kernels : all_kernels())
    for (int height = 1; height <= 9; ++height)
      for (int width = 1; width <= 9; ++width) check_board(height, width, 3, 9, *kernels);
}

TEST(large_boards_and_many_channels_equal_the_direct_sum) {
  for (const Kernels* kernels : all_kernels()) {
    check_board(19, 19, 8, 8, *kernels);
    check_board(6, 7, 24, 40, *kernels);
  }
}
