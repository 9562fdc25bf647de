// A point or direction, of one number each or of a lane of numbers each.
#pragma once

namespace rlplat::render {

// Always inline: code for different processors uses it, and must not share it.
template <class T>
struct Triple {
  T x, y, z;

  [[gnu::always_inline]] friend Triple operator+(const Triple& a, const Triple& b) {
    return {a.x + b.x, a.y + b.y, a.z + b.z};
  }
  [[gnu::always_inline]] friend Triple operator-(const Triple& a, const Triple& b) {
    return {a.x - b.x, a.y - b.y, a.z - b.z};
  }
  [[gnu::always_inline]] friend Triple operator*(T s, const Triple& a) { return {s * a.x, s * a.y, s * a.z}; }
  [[gnu::always_inline]] friend Triple operator*(const Triple& a, const Triple& b) {
    return {a.x * b.x, a.y * b.y, a.z * b.z};
  }
};

}  // namespace rlplat::render
