// Types of the arrays that cross the border: the caller allocates every one, C++ reads or fills it in place.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>
#include <string>

namespace rlplat {

namespace nb = nanobind;

template <class T, std::size_t N>
using Array = nb::ndarray<T, nb::ndim<N>, nb::c_contig, nb::device::cpu>;

// Raises ValueError unless axis `axis` of `array` has length `expected`.
template <class A>
void check_length(const A& array, std::size_t axis, std::size_t expected, const char* name) {
  if (array.shape(axis) != expected)
    throw nb::value_error((std::string(name) + ": axis " + std::to_string(axis) + " has length " +
                           std::to_string(array.shape(axis)) + ", expected " + std::to_string(expected))
                              .c_str());
}

template <class A>
void check_at_least(const A& array, std::size_t axis, std::size_t least, const char* name) {
  if (array.shape(axis) < least)
    throw nb::value_error((std::string(name) + ": axis " + std::to_string(axis) + " has length " +
                           std::to_string(array.shape(axis)) + ", expected at least " + std::to_string(least))
                              .c_str());
}

void bind_game(nb::module_& module);
void bind_search(nb::module_& module);
void bind_data(nb::module_& module);
void bind_inference(nb::module_& module);
void bind_render(nb::module_& module);

}  // namespace rlplat
