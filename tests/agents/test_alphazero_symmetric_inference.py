import numpy as np
import pytest

from agents.alphazero.config import NetworkConfig
from agents.alphazero.cpu_inference import CpuEvaluator
from agents.alphazero.symmetric_inference import SymmetricEvaluator
from agents.alphazero.weights import weight_shapes
from envs.games.tictactoe import tictactoe

GAME = tictactoe.load()
CONFIG = NetworkConfig(blocks=1, channels=8)


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    weights = {name: rng.random(shape, np.float32) - 0.5 for name, shape in weight_shapes(GAME.spec, CONFIG).items()}
    return CpuEvaluator(
        GAME.spec, CONFIG, {name: abs(w) if "var" in name else w for name, w in weights.items()}, batch_size=16
    )


def planes_of(*moves):
    return np.stack([GAME.state_from_moves(text).planes() for text in moves])


def image(planes, index):
    cells, _ = GAME.symmetry(index)
    return planes.reshape(*planes.shape[:2], -1)[:, :, cells].reshape(planes.shape)


def test_every_image_of_a_position_gets_the_same_value_and_the_image_of_its_policy(network):
    mean = SymmetricEvaluator(GAME, network, num_symmetries=8)
    planes = planes_of("1", "125", "1593")
    logits, values = mean.evaluate(planes)
    alone, _ = network.evaluate(planes)
    for index in range(1, 8):
        _, actions = GAME.symmetry(index)
        image_logits, image_values = mean.evaluate(image(planes, index))
        np.testing.assert_allclose(image_values, values, atol=1e-5)
        np.testing.assert_allclose(image_logits, logits[:, actions], atol=1e-5)
        assert not np.allclose(network.evaluate(image(planes, index))[0], alone[:, actions], atol=1e-3)


def test_it_is_the_mean_over_the_images(network):
    planes = planes_of("12", "35")
    logits, values = SymmetricEvaluator(GAME, network, num_symmetries=2).evaluate(planes)
    alone, values_alone = network.evaluate(planes)
    turned, values_turned = network.evaluate(image(planes, 1))
    _, actions = GAME.symmetry(1)
    np.testing.assert_allclose(values, (values_alone + values_turned) / 2, atol=1e-6)
    np.testing.assert_allclose(logits[:, actions], (alone[:, actions] + turned) / 2, atol=1e-6)


def test_more_symmetries_than_the_game_has_are_refused(network):
    with pytest.raises(ValueError, match="num_symmetries is 9, tictactoe has 1 to 8"):
        SymmetricEvaluator(GAME, network, num_symmetries=9)
