#include <nanobind/stl/vector.h>

#include "bindings/arrays.hpp"
#include "inference/residual_network.hpp"

namespace rlplat {

namespace {

using Parameter = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

void set_weights(ResidualNetwork& network, const std::vector<Parameter>& parameters) {
  std::vector<std::span<const float>> spans;
  for (const Parameter& parameter : parameters) spans.emplace_back(parameter.data(), parameter.size());
  network.set_weights(spans);
}

void evaluate(ResidualNetwork& network, Array<const float, 4> observations, Array<float, 2> logits_out,
              Array<float, 1> values_out) {
  const NetworkShape& shape = network.shape();
  const std::size_t batch = observations.shape(0);
  check_length(observations, 1, static_cast<std::size_t>(shape.planes), "observations");
  check_length(observations, 2, static_cast<std::size_t>(shape.height), "observations");
  check_length(observations, 3, static_cast<std::size_t>(shape.width), "observations");
  check_length(logits_out, 0, batch, "logits_out");
  check_length(logits_out, 1, static_cast<std::size_t>(shape.num_actions), "logits_out");
  check_length(values_out, 0, batch, "values_out");
  network.evaluate(static_cast<int>(batch), observations.data(), logits_out.data(), values_out.data());
}

}  // namespace

void bind_inference(nb::module_& module) {
  nb::class_<ResidualNetwork>(module, "ResidualNetwork",
                              "The two-headed residual network on the CPU, batch normalisation folded in. All weights "
                              "are zero at first.")
      .def(
          "__init__",
          [](ResidualNetwork* self, int planes, int height, int width, int blocks, int channels, int policy_channels,
             int value_channels, int value_hidden, int num_actions, int policy_planes, int num_value_logits,
             int num_threads) {
            const NetworkShape shape{planes,      height,          width,           blocks,
                                     channels,    policy_channels, value_channels,  value_hidden,
                                     num_actions, policy_planes,   num_value_logits};
            new (self) ResidualNetwork(shape, num_threads);
          },
          nb::kw_only(), nb::arg("planes"), nb::arg("height"), nb::arg("width"), nb::arg("blocks"), nb::arg("channels"),
          nb::arg("policy_channels"), nb::arg("value_channels"), nb::arg("value_hidden"), nb::arg("num_actions"),
          nb::arg("policy_planes"), nb::arg("num_value_logits"), nb::arg("num_threads") = 1)
      .def("set_weights", &set_weights, nb::arg("parameters"), nb::call_guard<nb::gil_scoped_release>(),
           "Weight and bias, outputs first, of: stem, both convolutions of each block, policy features and output, "
           "value "
           "features, hidden and output. ValueError if they are of another network.")
      .def(
          "evaluate", &evaluate, nb::arg("observations").noconvert(), nb::arg("logits_out").noconvert(),
          nb::arg("values_out").noconvert(), nb::call_guard<nb::gil_scoped_release>(),
          "Evaluate float32[B, C, H, W] into logits float32[B, A] and values float32[B] from the view of the player to "
          "move. A position's result does not depend on the rest of its batch, nor on the threads.");
}

}  // namespace rlplat
