"""Pictures that are moved by some pixels, so that networks learn what they show and not where a pixel is.

Random shift of Yarats, Fergus, Lazaric, Pinto (arXiv 2107.09645, section 3.1), by whole pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DRQ_SHIFT, DRQ_SIZE = 4, 84
"""What the paper shifts by, and the size of its pictures."""


def default_shift(height: int) -> int:
    """The paper's, in proportion to the pictures, and 1 at least."""
    return max(1, round(DRQ_SHIFT * height / DRQ_SIZE))


def shift_pictures(pictures: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each of the pictures `[B, H, W, C]` by up to `most` pixels each way; what comes in repeats the border."""
    num, height, width, _ = pictures.shape
    planes = pictures.permute(0, 3, 1, 2)
    # Padding by replication knows no bytes.
    padded = nn.functional.pad(planes.float(), (most, most, most, most), mode="replicate")
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    moves = torch.randint(0, 2 * most + 1, (2, num), generator=generator, device=pictures.device)
    rows = torch.arange(num, device=pictures.device)
    return windows[rows, :, moves[0], moves[1]].to(pictures.dtype).permute(0, 2, 3, 1)
