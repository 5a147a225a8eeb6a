"""Transformer blocks of the sequential network.

They are SASRec's (Kang & McAuley 2018, section III-E: dropout is on what a block adds), or gated ones.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import BlockKind, SequentialConfig
from recommender.models.parameter_shapes import GATED_EXPANSION

BYTE = 256
OPEN_GATE = 1.0
"""Bias that gates start with: a block adds σ(1) = .73 of its output until it has learned otherwise."""


def dropout(x: Tensor, share: float, *, training: bool) -> Tensor:
    """Zero a share of the values, to the nearest 1/256, and scale up the rest.

    One random byte a value: torch draws a whole float for each, which took a third of the training time on a processor.

    Args:
        x: any shape.
        share: 0…1.
        training: without it ``x`` comes back as it is.
    """
    dropped = round(share * BYTE)
    if not training or dropped == 0:
        return x
    words = torch.empty((x.numel() + 3) // 4, dtype=torch.int32, device=x.device)
    bits = words.random_(-(2**31), 2**31 - 1).view(torch.uint8)[: x.numel()].view(x.shape)
    return x * (bits >= dropped).to(x.dtype).mul_(BYTE / (BYTE - dropped))


def causal_attention(qkv: Tensor, heads: int) -> Tensor:  # (B, T, 3d) -> (B, T, d)
    """Attention in which position t sees positions 0…t."""
    batch, length, width = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    query, key, value = qkv.view(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)  # each (B, H, T, d/H)
    seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return seen.transpose(1, 2).reshape(batch, length, width)


class Block(nn.Module):
    """Causal self-attention, then a point-wise perceptron, each on normalised input and added to it."""

    def __init__(self, config: SequentialConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.norm_attention = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.norm_mlp = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.width)
        self.down = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, T, d)
        """One block; position t sees positions 0…t."""
        attended = self.out(causal_attention(self.qkv(self.norm_attention(x)), self.heads))
        x = x + dropout(attended, self.dropout, training=self.training)
        changed = self.down(F.relu(self.up(self.norm_mlp(x))))
        return x + dropout(changed, self.dropout, training=self.training)


class GatedBlock(nn.Module):
    """LiGR's block: each sublayer's output passes a gate that the residual stream itself sets, and the perceptron is SwiGLU.

    Borisyuk et al. 2025 (arXiv 2502.03417) for the gated residual, Shazeer 2020 (arXiv 2002.05202) for SwiGLU, Tikhonovich et
    al. 2025 (eSASRec) for both in a sequential recommender.
    """

    def __init__(self, config: SequentialConfig) -> None:
        super().__init__()
        width, inner = config.width, GATED_EXPANSION * config.width
        self.heads = config.heads
        self.dropout = config.dropout
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.gate_attention = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * inner)  # the gate and the value of SwiGLU, side by side
        self.down = nn.Linear(inner, width)
        self.gate_mlp = nn.Linear(width, width)
        for gate in (self.gate_attention, self.gate_mlp):
            nn.init.normal_(gate.weight, std=1.0 / (width * sqrt(width)))
            nn.init.constant_(gate.bias, OPEN_GATE)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, T, d)
        """One block; position t sees positions 0…t."""
        attended = self.out(causal_attention(self.qkv(self.norm_attention(x)), self.heads))
        x = x + torch.sigmoid(self.gate_attention(x)) * dropout(attended, self.dropout, training=self.training)
        switch, value = self.up(self.norm_mlp(x)).chunk(2, dim=-1)
        changed = self.down(F.silu(switch) * value)
        return x + torch.sigmoid(self.gate_mlp(x)) * dropout(changed, self.dropout, training=self.training)


def block_of(config: SequentialConfig) -> nn.Module:
    """A fresh block of the kind that is asked for."""
    return GatedBlock(config) if config.block is BlockKind.LIGR else Block(config)


INITIAL_SCALE = 0.02
"""Standard deviation of fresh embeddings; with 1, as torch has it, the first scores saturate the loss."""
