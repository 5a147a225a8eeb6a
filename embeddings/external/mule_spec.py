"""MULE's card (McCallum et al. 2022, arXiv 2210.03799): a network that only a command of the user's runs.

``mule-torch``, which has it for PyTorch, is GPL-3.0-only: it is installed by the user, in an environment of its own, and never
imported here. ``docs/research/front-ends.md`` has the steps and the program.
"""

from embeddings.external.command_spec import command_module
from embeddings.spec import FrontEndCard
from embeddings.weights.weight_files import PackageWeights

MULE = FrontEndCard(
    name="mule",
    version="sf-nfnet-f0-1",
    sample_rate=16_000,
    channels=1,
    window_samples=3 * 16_000,
    dimension=1728,
    weights=PackageWeights(
        filename="model.safetensors of matteospanio/mule, 267 MB",
        address="https://huggingface.co/matteospanio/mule",
        licence="CC-BY-NC-4.0",
    ),
)

MULE_MODULE = command_module(MULE, "mule-torch is GPL-3.0-only, so it is never part of this player")
"""As another package would write it for a front-end of its own that a command runs."""
