#include "render/caster.hpp"

#include <algorithm>
#include <cstring>

namespace rlplat::render {
namespace {

// A band of a picture stays in the first cache. Even, so that it holds whole pixels when these are sampled 2x2.
constexpr int kBandRows = 16;

// Stores the lower three bytes of each of `count` integers, and nothing beyond.
void store_pixels(const std::int32_t* pixels, int count, std::uint8_t* to) {
  using Bytes [[gnu::vector_size(16)]] = std::uint8_t;
  int x = 0;
  for (; x + 6 <= count; x += 4, to += 12) {  // what is stored beyond four pixels is stored over
    Bytes bytes;
    std::memcpy(&bytes, pixels + x, sizeof bytes);
    bytes = __builtin_shufflevector(bytes, bytes, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
    std::memcpy(to, &bytes, sizeof bytes);
  }
  for (; x < count; ++x)
    for (int channel = 0; channel < 3; ++channel) *to++ = static_cast<std::uint8_t>(pixels[x] >> (8 * channel));
}

// Puts the means of 2x2 pixels of two rows into the beginning of the first.
void halve(std::int32_t* row, const std::int32_t* next, int count) {
  constexpr std::int32_t kEven = 0x00ff00ff;  // red and blue, or green, with room for the sum of four
  for (int x = 0; x < count; ++x) {
    const std::int32_t a = row[2 * x], b = row[2 * x + 1], c = next[2 * x], d = next[2 * x + 1];
    const std::int32_t even = (a & kEven) + (b & kEven) + (c & kEven) + (d & kEven) + 0x00020002;
    const std::int32_t odd = (a >> 8 & 255) + (b >> 8 & 255) + (c >> 8 & 255) + (d >> 8 & 255) + 2;
    row[x] = (even >> 2 & kEven) | odd >> 2 << 8;
  }
}

void copy_colours(const Canvas& canvas, int scale, std::uint8_t* colours) {
  const int width = canvas.width / scale;
  for (int row = 0; row < canvas.rows; row += scale) {
    std::int32_t* from = canvas.colours + row * canvas.stride;
    if (scale == 2) halve(from, from + canvas.stride, width);
    store_pixels(from, width, colours + static_cast<std::size_t>((canvas.top + row) / scale) * 3 * width);
  }
}

void copy(const Sight& sight, const Canvas& canvas, float* depth, std::int32_t* ids) {
  for (int row = 0; row < canvas.rows; ++row) {
    const std::size_t to = static_cast<std::size_t>(canvas.top + row) * canvas.width, from = row * canvas.stride;
    if (depth) std::copy_n(canvas.depth + from, canvas.width, depth + to);
    if (!ids) continue;
    for (int x = 0; x < canvas.width; ++x) {
      const std::int32_t position = canvas.seen[from + x];
      ids[to + x] = position < 0 ? -1 : sight.geoms[position].id;
    }
  }
}

}  // namespace

Caster::Caster(const CasterOptions& options)
    : options_(options), workers_(options.num_threads), bands_(static_cast<std::size_t>(workers_.size())) {
  const int width = (options.supersampling ? 2 : 1) * options.width;
  const std::size_t pixels = static_cast<std::size_t>(stride_of(width)) * kBandRows;
  for (Band& band : bands_) {
    band.depth.resize(pixels);
    band.seen.resize(pixels);
    band.colours.resize(pixels);
  }
}

void Caster::render(const Scene& scene, int num_simulations, std::uint8_t* colours, float* depth, std::int32_t* ids) {
  const std::size_t pixels = static_cast<std::size_t>(options_.width) * options_.height;
  workers_.run(num_simulations, [&](int simulation, int worker) {
    const std::size_t begin = simulation * pixels;
    draw(scene, static_cast<std::size_t>(simulation), bands_[static_cast<std::size_t>(worker)],
         colours ? colours + 3 * begin : nullptr, depth ? depth + begin : nullptr, ids ? ids + begin : nullptr);
  });
}

void Caster::draw(const Scene& scene, std::size_t simulation, Band& band, std::uint8_t* colours, float* depth,
                  std::int32_t* ids) const {
  const auto pass = [&](int scale, std::uint8_t* colours, float* depth, std::int32_t* ids) {
    const int width = scale * options_.width, height = scale * options_.height;
    band.view.prepare(scene, simulation, width, height);
    const Sight sight = band.view.sight();
    for (int top = 0; top < height; top += kBandRows) {
      const Canvas canvas{width,
                          stride_of(width),
                          top,
                          std::min(kBandRows, height - top),
                          band.depth.data(),
                          band.seen.data(),
                          band.colours.data()};
      options_.drawing->trace(sight, scene.near, scene.far, canvas);
      copy(sight, canvas, depth, ids);
      if (!colours) continue;
      options_.drawing->paint(sight, options_.shadows, canvas);
      copy_colours(canvas, scale, colours);
    }
  };
  if (!options_.supersampling) return pass(1, colours, depth, ids);
  if (colours) pass(2, colours, nullptr, nullptr);
  if (depth || ids) pass(1, nullptr, depth, ids);
}

}  // namespace rlplat::render
