"""Windows of raw samples, for the front-ends that listen to the waveform itself."""

import numpy as np
from numpy.typing import NDArray


def spread_samples(samples: NDArray[np.float32], length: int, most: int) -> NDArray[np.float32]:
    """Cut (…, N) samples into windows that do not overlap, of which at most ``most``, evenly spread: (W, …, length).

    Audio shorter than one window is repeated until it fills one; of longer audio the end that fills none is left out.
    """
    total = samples.shape[-1]
    if total < length:
        samples = np.take(samples, np.arange(length) % total, axis=-1)
        total = length
    count = total // length
    starts = np.arange(count) if count <= most else ((np.arange(most) + 0.5) * count / most).astype(np.intp)
    return np.stack([samples[..., start * length : (start + 1) * length] for start in starts])
