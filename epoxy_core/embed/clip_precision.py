"""Image towers in bfloat16 that stay close to float32."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def in_bfloat16(
    visual: "torch.nn.Module", encode: "Callable[[torch.Tensor], torch.Tensor]"
) -> "Callable[[torch.Tensor], torch.Tensor]":
    """Reduce the matrix products of a float32 image tower to bfloat16.

    bfloat16 has eight binary digits: a pixel does not fit. Rounded pixels cost a plain frame (a
    title, a splash of one colour) up to 0.002 of cosine, so the first layer stays float32, which
    takes 2 % of the time. So do norms, and the sum that every block adds to.

    In open_clip's own vision transformers the weights themselves are reduced: under autocast,
    their attention copies its weights for every picture, ten times slower than float32. Others
    run under autocast (benchmarks/results/video.md).

    Parameters
    ----------
    visual
        The tower; changed in place.
    encode
        The function that runs it.

    Returns
    -------
    callable
        What to call instead of ``encode``, with float32 pictures as before.
    """
    import torch
    from open_clip.model import convert_weights_to_lp
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    layers = (torch.nn.Conv2d, torch.nn.Linear)
    first: Any = next(module for module in visual.modules() if isinstance(module, layers))
    blocks = visual.transformer.resblocks if isinstance(visual, VisionTransformer) else []
    if not blocks or any(type(block) is not ResidualAttentionBlock for block in blocks):
        first.forward = _exactly(first.forward)
        return _under_autocast(encode)
    convert_weights_to_lp(visual, torch.bfloat16)
    first.float()
    if visual.proj is not None:
        visual.proj.data = visual.proj.data.float()
    if visual.attn_pool is not None:
        visual.attn_pool.float()
    for block in blocks:
        for norm in (block.ln_1, block.ln_2):
            norm.register_forward_hook(lambda _, inputs, output: output.to(torch.bfloat16))
    return encode


def _under_autocast(
    encode: "Callable[[torch.Tensor], torch.Tensor]",
) -> "Callable[[torch.Tensor], torch.Tensor]":
    import torch

    def encoded(pictures: torch.Tensor) -> torch.Tensor:
        with torch.autocast(pictures.device.type, torch.bfloat16):
            return encode(pictures)

    return encoded


def _exactly(
    forward: "Callable[[torch.Tensor], torch.Tensor]",
) -> "Callable[[torch.Tensor], torch.Tensor]":
    import torch

    def without_autocast(pictures: torch.Tensor) -> torch.Tensor:
        with torch.autocast(pictures.device.type, enabled=False):
            return forward(pictures)

    return without_autocast
