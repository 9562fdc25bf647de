#include <vector>

#include "bindings/arrays.hpp"
#include "data/draw.hpp"
#include "data/stack_frames.hpp"

namespace rlplat {

namespace {

void draw_batch(const Game& game, Array<const std::uint8_t, 2> states, Array<const std::int64_t, 1> rows,
                Array<const std::int32_t, 1> plies, Array<const std::uint16_t, 1> policy,
                Array<const std::int64_t, 1> policy_offsets, Array<const std::int32_t, 1> num_legal,
                Array<const std::int32_t, 1> symmetries, Array<float, 4> planes_out, Array<float, 2> policy_out,
                Array<bool, 2> legal_out) {
  const std::size_t batch = rows.shape(0);
  const auto num_actions = static_cast<std::size_t>(game.shape().num_actions);
  check_length(states, 1, game.state_size(), "states");
  check_length(plies, 0, batch, "plies");
  check_length(policy_offsets, 0, batch, "policy_offsets");
  check_length(num_legal, 0, batch, "num_legal");
  check_length(symmetries, 0, batch, "symmetries");
  check_length(planes_out, 0, batch, "planes_out");
  check_length(planes_out, 1, static_cast<std::size_t>(game.shape().num_planes), "planes_out");
  check_length(planes_out, 2, static_cast<std::size_t>(game.shape().height), "planes_out");
  check_length(planes_out, 3, static_cast<std::size_t>(game.shape().width), "planes_out");
  check_length(policy_out, 0, batch, "policy_out");
  check_length(policy_out, 1, num_actions, "policy_out");
  check_length(legal_out, 0, batch, "legal_out");
  check_length(legal_out, 1, num_actions, "legal_out");
  const ReplayView replay{reinterpret_cast<const std::byte*>(states.data()), static_cast<std::int64_t>(states.shape(0)),
                          policy.data(), static_cast<std::int64_t>(policy.shape(0))};
  for (std::size_t b = 0; b < batch; ++b) {
    const DrawnPosition position{rows.data()[b], plies.data()[b], policy_offsets.data()[b], num_legal.data()[b],
                                 symmetries.data()[b]};
    if (position.row < 0 || position.row >= replay.capacity) throw nb::index_error("rows: outside of states");
    if (position.plies < 0 || position.plies >= replay.capacity)
      throw nb::index_error("plies: more earlier positions than states");
    if (position.policy_offset < 0 || position.policy_offset >= replay.policy_capacity)
      throw nb::index_error("policy_offsets: outside of policy");
    if (position.symmetry < 0 || position.symmetry >= game.shape().num_symmetries)
      throw nb::index_error("symmetries: no such symmetry");
    draw_position(game, replay, position, planes_out.data() + b * game.observation_size(),
                  policy_out.data() + b * num_actions, legal_out.data() + b * num_actions);
  }
}

void stack_all_frames(Array<const std::uint8_t, 4> frames, Array<const std::int64_t, 2> rows,
                      Array<std::uint8_t, 4> out) {
  const std::size_t num = rows.shape(0), stack = rows.shape(1), channels = frames.shape(3);
  const std::size_t pixels = frames.shape(1) * frames.shape(2);
  check_length(out, 0, num, "out");
  check_length(out, 1, frames.shape(1), "out");
  check_length(out, 2, frames.shape(2), "out");
  check_length(out, 3, stack * channels, "out");
  std::vector<const std::uint8_t*> chosen(num * stack);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::int64_t row = rows.data()[i];
    if (row < 0 || row >= static_cast<std::int64_t>(frames.shape(0))) throw nb::index_error("rows: outside of frames");
    chosen[i] = frames.data() + static_cast<std::size_t>(row) * pixels * channels;
  }
  const nb::gil_scoped_release release;
  for (std::size_t i = 0; i < num; ++i)
    stack_frames(chosen.data() + i * stack, stack, pixels, channels, out.data() + i * stack * pixels * channels);
}

}  // namespace

void bind_data(nb::module_& module) {
  module.def("stack_frames", &stack_all_frames, nb::arg("frames").noconvert(), nb::arg("rows").noconvert(),
             nb::arg("out").noconvert(), "Put frames [F, H, W, C] of `rows` [N, S] into out [N, H, W, S C].");
  module.def("draw_batch", &draw_batch, nb::arg("game"), nb::arg("states").noconvert(), nb::arg("rows").noconvert(),
             nb::arg("plies").noconvert(), nb::arg("policy").noconvert(), nb::arg("policy_offsets").noconvert(),
             nb::arg("num_legal").noconvert(), nb::arg("symmetries").noconvert(), nb::arg("planes_out").noconvert(),
             nb::arg("policy_out").noconvert(), nb::arg("legal_out").noconvert(),
             nb::call_guard<nb::gil_scoped_release>(),
             "Make a training batch of B stored positions: planes float32[B, C, H, W], policy float32[B, A] and legal "
             "bool[B, A], all under the symmetry of each position.");
}

}  // namespace rlplat
