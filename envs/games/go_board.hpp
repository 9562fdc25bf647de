// What is found out of a Go board of any size up to 19x19 by shifting sets of points. Chains and their liberties are
// found by flooding: a board of 9x9 fills two words, and a shift of all its stones costs less than keeping up lists of
// chains would.
#pragma once

#include "points.hpp"

// A board of one size. Bit `row * (size + 1) + column` is a point, row 0 at the bottom. Behind each row lies a bit that
// is on no board, so that neighbours of the last column do not run into the next row.
template <int Words>
class Board {
 public:
  using Set = Points<Words>;

  explicit Board(int size) : stride_(size + 1), all_(Set::none()) {
    for (int row = 0; row < size; ++row)
      for (int column = 0; column < size; ++column) all_ |= Set::one(row * stride_ + column);
  }

  const Set& all() const { return all_; }

  // The points and their neighbours.
  Set grown(const Set& set) const {
    return (set | set.up(1) | set.down(1) | set.up(stride_) | set.down(stride_)) & all_;
  }
  Set neighbours(const Set& set) const {
    return (set.up(1) | set.down(1) | set.up(stride_) | set.down(stride_)) & all_;
  }

  // What is connected to `seed` within `area`, which holds it.
  Set flood(Set seed, const Set& area) const {
    for (;;) {
      const Set next = grown(seed) & area;
      if (next == seed) return seed;
      seed = next;
    }
  }

  // Whether the chain of `stones` through `seed` touches a point of `empty`; if not, `chain` is all of it.
  bool reaches(const Set& seed, const Set& stones, const Set& empty, Set& chain) const {
    chain = seed;
    for (;;) {
      const Set next = grown(chain);
      if ((next & empty).any()) return true;
      const Set more = next & stones;
      if (more == chain) return false;
      chain = more;
    }
  }

  // The stones of `theirs` that a stone of ours at `point` takes; `empty` without the point.
  Set captured(const Set& point, const Set& theirs, const Set& empty) const {
    Set out = Set::none(), chain;
    Set touched = neighbours(point) & theirs;
    for (int bit = touched.first(); bit >= 0; bit = touched.first()) {
      if (!reaches(Set::one(bit), theirs, empty, chain)) out |= chain;
      touched = touched.without(chain);
    }
    return out;
  }

  // The empty points where `ours` may play without taking their own last liberty.
  Set playable(const Set& ours, const Set& theirs, const Set& empty) const {
    Set allowed = neighbours(empty) & empty;
    const Set tight = empty.without(allowed);  // no empty neighbour
    if (!tight.any()) return allowed;
    // Points that keep one of our chains alive, which has another liberty.
    for (Set rest = neighbours(tight) & ours; rest.any();) {
      const Set chain = flood(Set::one(rest.first()), ours);
      rest = rest.without(chain);
      const Set liberties = neighbours(chain) & empty;
      if ((liberties & tight).any() && liberties.count() > 1) allowed |= liberties;
    }
    // Points that take the last liberty of one of theirs.
    const Set left = tight.without(allowed);
    for (Set rest = neighbours(left) & theirs; rest.any();) {
      const Set chain = flood(Set::one(rest.first()), theirs);
      rest = rest.without(chain);
      const Set liberties = neighbours(chain) & empty;
      if (liberties.count() == 1) allowed |= liberties;
    }
    return allowed;
  }

  // Whether the opponent cannot cut off an empty point that `ours` surround: of its corners they hold one at most, at
  // the edge none. A rule of thumb; random play that fills such points would never end.
  bool is_eye(const Set& point, const Set& ours) const {
    const Set beside = neighbours(point);
    if (beside.without(ours).any()) return false;
    const Set corners =
        (point.up(stride_ + 1) | point.up(stride_ - 1) | point.down(stride_ + 1) | point.down(stride_ - 1)) & all_;
    return corners.without(ours).count() <= (corners.count() == 4 ? 1 : 0);
  }

  // Points of the area of `ours`: stones, and empty points from which no way over empty points leads to `theirs`. With
  // no stone of ours there is none.
  Set area(const Set& ours, const Set& theirs) const {
    const Set empty = all_.without(ours | theirs);
    const Set mine = flood(neighbours(ours) & empty, empty), yours = flood(neighbours(theirs) & empty, empty);
    return ours | mine.without(yours);
  }

 private:
  int stride_;
  Set all_;
};
