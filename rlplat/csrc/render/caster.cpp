#include "render/caster.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "render/shading.hpp"
#include "render/shapes.hpp"

namespace rlplat::render {
namespace {

// A band of a picture stays in the first cache. Even, so that it holds whole pixels when these are sampled 2x2.
constexpr int kBandRows = 8;

Integers load_integers(const std::int32_t* from) {
  return reinterpret_cast<Integers>(load(reinterpret_cast<const float*>(from)));
}
void store_integers(std::int32_t* to, Integers integers) {
  store(reinterpret_cast<float*>(to), reinterpret_cast<Vector>(integers));
}

// A row has room for a vector that begins at its last pixel.
int stride_of(int width) { return padded(width, kLanes) + kLanes; }

// A line of colours, with room for what store_pixels writes behind it.
std::size_t line_bytes(int stride) { return 3 * static_cast<std::size_t>(stride) + 4; }

template <Shape shape>
void trace_geom(const Geom& geom, std::int32_t position, float near, int top, int bottom, int stride, float* depth,
                std::int32_t* seen) {
  const Vector first = steps();
  for (int y = std::max(top, geom.top); y < std::min(bottom, geom.bottom); ++y) {
    const Lanes3 row = spread(geom.base + static_cast<float>(y) * geom.down);
    for (int x = geom.left; x < geom.end; x += kLanes) {
      const Vector columns = first + static_cast<float>(x);
      const Lanes3 ray = row + columns * spread(geom.right);
      const Vector t = enter<shape>(geom.origin, ray, geom.size);
      float* nearest = depth + (y - top) * stride + x;
      const Vector before = load(nearest);
      const Mask hit = (t < before) & (t >= near);
      if (!any(hit)) continue;
      store(nearest, select(hit, t, before));
      std::int32_t* what = seen + (y - top) * stride + x;
      store_integers(what, hit ? Integers{} + position : load_integers(what));
    }
  }
}

// Stores the lower three bytes of each of four integers, and four bytes of rubbish behind them.
void store_pixels(std::uint8_t* to, const std::int32_t* pixels) {
  using Bytes [[gnu::vector_size(16)]] = std::uint8_t;
  Bytes bytes;
  std::memcpy(&bytes, pixels, sizeof bytes);
  bytes = __builtin_shufflevector(bytes, bytes, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
  std::memcpy(to, &bytes, sizeof bytes);
}

Integers to_byte(Vector colour) { return truncate(smaller(larger(colour, Vector{}), all(1.0f)) * 255.0f + 0.5f); }

}  // namespace

Caster::Caster(const CasterOptions& options)
    : options_(options), workers_(options.num_threads), bands_(static_cast<std::size_t>(workers_.size())) {
  const int scale = options.supersampling ? 2 : 1, stride = stride_of(scale * options.width);
  for (Band& band : bands_) {
    band.depth = Buffer(static_cast<std::size_t>(stride) * kBandRows);
    band.seen.resize(static_cast<std::size_t>(stride) * kBandRows);
    band.lines.resize(2 * line_bytes(stride));
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
    const int height = scale * options_.height;
    band.width = scale * options_.width, band.stride = stride_of(band.width);
    band.view.prepare(scene, simulation, band.width, height);
    for (band.top = 0; band.top < height; band.top += kBandRows) {
      band.rows = std::min(kBandRows, height - band.top);
      trace(scene, band);
      copy(band, depth, ids);
      if (colours) paint_rows(band, colours);
    }
  };
  if (!options_.supersampling) return pass(1, colours, depth, ids);
  if (colours) pass(2, colours, nullptr, nullptr);
  if (depth || ids) pass(1, nullptr, depth, ids);
}

void Caster::trace(const Scene& scene, Band& band) const {
  std::fill_n(band.depth.data(), band.rows * band.stride, scene.far);
  std::fill_n(band.seen.data(), band.rows * band.stride, -1);
  const std::vector<Geom>& geoms = band.view.geoms();
  for (std::size_t position = 0; position < geoms.size(); ++position)
    with_shape(geoms[position].shape, [&]<Shape shape>() {
      trace_geom<shape>(geoms[position], static_cast<std::int32_t>(position), scene.near, band.top,
                        band.top + band.rows, band.stride, band.depth.data(), band.seen.data());
    });
}

void Caster::copy(const Band& band, float* depth, std::int32_t* ids) const {
  for (int row = 0; row < band.rows; ++row) {
    const std::size_t to = static_cast<std::size_t>(band.top + row) * band.width, from = row * band.stride;
    if (depth) std::copy_n(band.depth.data() + from, band.width, depth + to);
    if (!ids) continue;
    for (int x = 0; x < band.width; ++x) {
      const std::int32_t position = band.seen[from + x];
      ids[to + x] = position < 0 ? -1 : band.view.geoms()[position].id;
    }
  }
}

void Caster::paint_rows(Band& band, std::uint8_t* colours) const {
  std::uint8_t* line = band.lines.data();
  if (!options_.supersampling) {
    const std::size_t bytes = 3 * static_cast<std::size_t>(band.width);
    for (int row = 0; row < band.rows; ++row) {
      paint(band, row, line);
      std::memcpy(colours + (band.top + row) * bytes, line, bytes);
    }
    return;
  }
  std::uint8_t* next = line + line_bytes(band.stride);
  for (int row = 0; row < band.rows; row += 2) {
    paint(band, row, line);
    paint(band, row + 1, next);
    std::uint8_t* to = colours + static_cast<std::size_t>((band.top + row) / 2) * 3 * options_.width;
    for (int x = 0; x < options_.width; ++x)
      for (int channel = 0; channel < 3; ++channel) {
        const int at = 6 * x + channel;
        to[3 * x + channel] = static_cast<std::uint8_t>((line[at] + line[at + 3] + next[at] + next[at + 3] + 2) / 4);
      }
  }
}

void Caster::paint(const Band& band, int row, std::uint8_t* line) const {
  const float* background = band.view.background();
  const Integers none = Integers{} - 1;
  for (int x = 0; x < band.width; x += kLanes) {
    const std::int32_t* seen = band.seen.data() + row * band.stride + x;
    const Integers positions = load_integers(seen);
    Pixels pixels{steps() + static_cast<float>(x), static_cast<float>(band.top + row),
                  load(band.depth.data() + row * band.stride + x), band.view.to_eye(band.top + row, x),
                  positions == none};
    Lanes3 colour = spread({background[0], background[1], background[2]});
    // Most vectors see one geom only.
    for (Mask left = ~pixels.seen; any(left); left &= ~pixels.seen) {
      const std::int32_t position = seen[first_of(left)];
      pixels.seen = positions == (Integers{} + position);
      shade(band.view, band.view.geoms()[position], pixels, options_.shadows, colour);
    }
    const Integers bytes = to_byte(colour.x) | to_byte(colour.y) << 8 | to_byte(colour.z) << 16;
    alignas(Integers) std::int32_t packed[kLanes];
    store_integers(packed, bytes);
    for (int lane = 0; lane < kLanes; lane += 4) store_pixels(line + 3 * (x + lane), packed + lane);
  }
}

}  // namespace rlplat::render
