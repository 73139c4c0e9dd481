"""Random numbers that depend on a name and a seed, and on nothing else.

Every use of chance asks for its own stream by a key such as ``("shuffle", seed, epoch)``. There is
no state to carry along: a member draws the same numbers in whatever company, order or process it
is trained, and a resumed one goes on as if it had never stopped.
"""

import hashlib
import json

import numpy as np


def seed_of(*key: str | int) -> int:
    """Return a seed, 0 ≤ seed < 2**63, that is a hash (BLAKE2b) of ``key``."""
    digest = hashlib.blake2b(json.dumps(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def generator(*key: str | int) -> np.random.Generator:
    """Return a NumPy generator (PCG64) seeded by ``key``."""
    return np.random.Generator(np.random.PCG64(seed_of(*key)))
