#include "inference/convolution.hpp"

namespace rlplat {
namespace {

// F(m, 3): how inputs, filters and outputs of one dimension are transformed. Points 0, 1, -1, 2, -2 as far as they are
// needed, and infinity.
template <int Outputs>
struct Filtering;

template <>
struct Filtering<2> {
  static constexpr double kFilter[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

  static void input(const Vector* d, Vector* t) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }

  static void output(const Vector* t, Vector* y) {
    y[0] = t[0] + t[1] + t[2];
    y[1] = t[1] - t[2] - t[3];
  }
};

template <>
struct Filtering<3> {
  static constexpr double kFilter[5][3] = {
      {0.5, 0, 0}, {-0.5, -0.5, -0.5}, {-1.0 / 6, 1.0 / 6, -1.0 / 6}, {1.0 / 6, 1.0 / 3, 2.0 / 3}, {0, 0, 1}};

  static void input(const Vector* d, Vector* t) {
    const Vector d1 = d[1], d2 = d[2], d3 = d[3];
    const Vector odd = d3 - d1;
    t[0] = 2.0f * (d[0] - d2) + odd;
    t[1] = d3 - d2 - 2.0f * d1;
    t[2] = d3 - 3.0f * d2 + 2.0f * d1;
    t[3] = odd;
    t[4] = d[4] - d2 - 2.0f * odd;
  }

  static void output(const Vector* t, Vector* y) {
    const Vector sum = t[1] + t[2], difference = t[1] - t[2], two = t[3];
    y[0] = t[0] + sum + two;
    y[1] = difference + 2.0f * two;
    y[2] = sum + 4.0f * two + t[4];
  }
};

template <>
struct Filtering<4> {
  static constexpr double kFilter[6][3] = {{0.25, 0, 0},
                                           {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                           {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                           {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                           {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                           {0, 0, 1}};

  static void input(const Vector* d, Vector* t) {
    const Vector d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4];
    const Vector even = d4 - 4.0f * d2, odd = d3 - 4.0f * d1;
    const Vector even_two = d4 - d2, odd_two = 2.0f * (d3 - d1);
    t[0] = 4.0f * d[0] - 5.0f * d2 + d4;
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = even_two + odd_two;
    t[4] = even_two - odd_two;
    t[5] = 4.0f * d1 - 5.0f * d3 + d[5];
  }

  static void output(const Vector* t, Vector* y) {
    const Vector sum = t[1] + t[2], difference = t[1] - t[2];
    const Vector sum_two = t[3] + t[4], difference_two = t[3] - t[4];
    y[0] = t[0] + sum + sum_two;
    y[1] = difference + 2.0f * difference_two;
    y[2] = sum + 4.0f * sum_two;
    y[3] = difference + 8.0f * difference_two + t[5];
  }
};

const double* filter_row(int outputs, int point) {
  switch (outputs) {
    case 2:
      return Filtering<2>::kFilter[point];
    case 3:
      return Filtering<3>::kFilter[point];
    default:
      return Filtering<4>::kFilter[point];
  }
}

}  // namespace

Tiling Tiling::of(int length) {
  Tiling best{4, (length + 3) / 4};
  for (int outputs : {3, 2}) {
    const Tiling tiling{outputs, (length + outputs - 1) / outputs};
    if (tiling.count * (outputs + 2) < best.count * (best.outputs + 2)) best = tiling;
  }
  return best;
}

Convolution::Convolution(int height, int width, int input_channels, int output_channels)
    : height_(height),
      width_(width),
      input_channels_(input_channels),
      output_channels_(output_channels),
      vertical_(Tiling::of(height)),
      horizontal_(Tiling::of(width)),
      num_products_((vertical_.outputs + 2) * (horizontal_.outputs + 2)),
      filters_(num_products_, padded(input_channels), padded(output_channels)),
      bias_(padded(output_channels)) {}

void Convolution::set_weights(const float* weight, const float* bias) {
  const int across = horizontal_.outputs + 2;
  for (int product = 0; product < num_products_; ++product) {
    const double* vertical = filter_row(vertical_.outputs, product / across);
    const double* horizontal = filter_row(horizontal_.outputs, product % across);
    for (int to = 0; to < output_channels_; ++to)
      for (int from = 0; from < input_channels_; ++from) {
        const float* kernel = weight + (to * input_channels_ + from) * 9;
        double sum = 0.0;
        for (int row = 0; row < 3; ++row)
          for (int column = 0; column < 3; ++column)
            sum += vertical[row] * horizontal[column] * kernel[row * 3 + column];
        filters_.at(product, from, to) = static_cast<float>(sum);
      }
  }
  std::memcpy(bias_.data(), bias, output_channels_ * sizeof(float));
}

Layout Convolution::layout(int channels) const {
  const int row = horizontal_.count * horizontal_.outputs + 2;
  return {padded(channels), row, row * (vertical_.count * vertical_.outputs + 2), row + 1};
}

std::size_t Convolution::scratch_size(int boards) const {
  return static_cast<std::size_t>(num_products_) * num_tiles() * boards *
         (padded(input_channels_) + padded(output_channels_));
}

void Convolution::run(int boards, const float* input, float* scratch, const float* residual, float* output) const {
  const auto run_with = [&]<int Vertical>() {
    switch (horizontal_.outputs) {
      case 2:
        return run_tiled<Vertical, 2>(boards, input, scratch, residual, output);
      case 3:
        return run_tiled<Vertical, 3>(boards, input, scratch, residual, output);
      default:
        return run_tiled<Vertical, 4>(boards, input, scratch, residual, output);
    }
  };
  switch (vertical_.outputs) {
    case 2:
      return run_with.operator()<2>();
    case 3:
      return run_with.operator()<3>();
    default:
      return run_with.operator()<4>();
  }
}

template <int Vertical, int Horizontal>
void Convolution::run_tiled(int boards, const float* input, float* scratch, const float* residual,
                            float* output) const {
  constexpr int kDown = Vertical + 2, kAcross = Horizontal + 2, kProducts = kDown * kAcross;
  const Layout from = layout(input_channels_), to = layout(output_channels_);
  const int inputs = from.channels, outputs = to.channels, tiles = boards * num_tiles();
  const std::size_t factor_stride = static_cast<std::size_t>(tiles) * inputs;
  const std::size_t sum_stride = static_cast<std::size_t>(tiles) * outputs;
  float* const factors = scratch;
  float* const sums = scratch + kProducts * factor_stride;

  float* tile = factors;
  for (int board = 0; board < boards; ++board)
    for (int y = 0; y < vertical_.count * Vertical; y += Vertical)
      for (int x = 0; x < horizontal_.count * Horizontal; x += Horizontal, tile += inputs) {
        const float* corner = input + static_cast<std::size_t>(board * from.board + y * from.row + x) * inputs;
        for (int channel = 0; channel < inputs; channel += kLanes) {
          Vector between[kDown][kAcross];
#pragma GCC unroll 6
          for (int j = 0; j < kAcross; ++j) {
            Vector column[kDown], down[kDown];
#pragma GCC unroll 6
            for (int i = 0; i < kDown; ++i) column[i] = load(corner + (i * from.row + j) * inputs + channel);
            Filtering<Vertical>::input(column, down);
#pragma GCC unroll 6
            for (int i = 0; i < kDown; ++i) between[i][j] = down[i];
          }
#pragma GCC unroll 6
          for (int i = 0; i < kDown; ++i) {
            Vector across[kAcross];
            Filtering<Horizontal>::input(between[i], across);
#pragma GCC unroll 6
            for (int j = 0; j < kAcross; ++j) store(tile + (i * kAcross + j) * factor_stride + channel, across[j]);
          }
        }
      }

  for (int product = 0; product < kProducts; ++product)
    filters_.multiply(product, tiles, factors + product * factor_stride, sums + product * sum_stride);

  tile = sums;
  for (int board = 0; board < boards; ++board)
    for (int y = 0; y < vertical_.count * Vertical; y += Vertical)
      for (int x = 0; x < horizontal_.count * Horizontal; x += Horizontal, tile += outputs) {
        const std::size_t corner = static_cast<std::size_t>(to.first + board * to.board + y * to.row + x) * outputs;
        for (int channel = 0; channel < outputs; channel += kLanes) {
          Vector between[Vertical][kAcross], cells[Vertical][Horizontal];
#pragma GCC unroll 6
          for (int j = 0; j < kAcross; ++j) {
            Vector column[kDown], down[Vertical];
#pragma GCC unroll 6
            for (int i = 0; i < kDown; ++i) column[i] = load(tile + (i * kAcross + j) * sum_stride + channel);
            Filtering<Vertical>::output(column, down);
#pragma GCC unroll 4
            for (int i = 0; i < Vertical; ++i) between[i][j] = down[i];
          }
#pragma GCC unroll 4
          for (int i = 0; i < Vertical; ++i) Filtering<Horizontal>::output(between[i], cells[i]);
          const Vector bias = load(bias_.data() + channel);
          for (int i = 0; i < Vertical && y + i < height_; ++i)
            for (int j = 0; j < Horizontal && x + j < width_; ++j) {
              const std::size_t at = corner + static_cast<std::size_t>(i * to.row + j) * outputs + channel;
              Vector cell = cells[i][j] + bias;
              if (residual) cell += load(residual + at);
              store(output + at, relu(cell));
            }
        }
      }
}

}  // namespace rlplat
