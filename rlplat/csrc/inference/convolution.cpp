#include "inference/convolution.hpp"

#include <cstring>

#include "inference/filtering.hpp"

namespace rlplat {
namespace {

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

Convolution::Convolution(int height, int width, int input_channels, int output_channels, const Kernels& kernels)
    : height_(height),
      width_(width),
      input_channels_(input_channels),
      output_channels_(output_channels),
      vertical_(Tiling::of(height)),
      horizontal_(Tiling::of(width)),
      num_products_((vertical_.outputs + 2) * (horizontal_.outputs + 2)),
      kernels_(kernels),
      filters_(num_products_, padded(input_channels, kernels.lanes), padded(output_channels, kernels.lanes), kernels),
      bias_(padded(output_channels, kernels.lanes)) {}

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
  return {padded(channels, kernels_.lanes), row, row * (vertical_.count * vertical_.outputs + 2), row + 1};
}

std::size_t Convolution::scratch_size(int boards) const {
  return static_cast<std::size_t>(num_products_) * num_tiles() * boards * (filters_.inner() + filters_.columns());
}

void Convolution::run(int boards, const float* input, float* scratch, const float* residual, float* output) const {
  kernels_.convolve({boards, height_, width_, vertical_, horizontal_, layout(input_channels_), layout(output_channels_),
                     filters_.data(), bias_.data(), input, scratch, residual, output});
}

}  // namespace rlplat
