// Winograd's minimal filtering of one dimension: how inputs, filters and outputs are transformed.
#pragma once

namespace rlplat {

// F(m, 3) computes m outputs with m + 2 products (Lavin and Gray 2016, arXiv:1509.09308, section 4). Points 0, 1, -1,
// 2, -2 as far as they are needed, and infinity. `Vector` is a register, whose type tells the processors apart for
// which these functions are compiled.
template <int Outputs>
struct Filtering;

template <>
struct Filtering<2> {
  static constexpr double kFilter[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

  template <typename Vector>
  static void input(const Vector* d, Vector* t) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }

  template <typename Vector>
  static void output(const Vector* t, Vector* y) {
    y[0] = t[0] + t[1] + t[2];
    y[1] = t[1] - t[2] - t[3];
  }
};

template <>
struct Filtering<3> {
  static constexpr double kFilter[5][3] = {
      {0.5, 0, 0}, {-0.5, -0.5, -0.5}, {-1.0 / 6, 1.0 / 6, -1.0 / 6}, {1.0 / 6, 1.0 / 3, 2.0 / 3}, {0, 0, 1}};

  template <typename Vector>
  static void input(const Vector* d, Vector* t) {
    const Vector d1 = d[1], d2 = d[2], d3 = d[3];
    const Vector odd = d3 - d1;
    t[0] = 2.0f * (d[0] - d2) + odd;
    t[1] = d3 - d2 - 2.0f * d1;
    t[2] = d3 - 3.0f * d2 + 2.0f * d1;
    t[3] = odd;
    t[4] = d[4] - d2 - 2.0f * odd;
  }

  template <typename Vector>
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

  template <typename Vector>
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

  template <typename Vector>
  static void output(const Vector* t, Vector* y) {
    const Vector sum = t[1] + t[2], difference = t[1] - t[2];
    const Vector sum_two = t[3] + t[4], difference_two = t[3] - t[4];
    y[0] = t[0] + sum + sum_two;
    y[1] = difference + 2.0f * difference_two;
    y[2] = sum + 4.0f * sum_two;
    y[3] = difference + 8.0f * difference_two + t[5];
  }
};

}  // namespace rlplat
