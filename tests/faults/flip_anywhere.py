"""Damage the files of the tiny study at random places: each is refused, or read as it was written.

A bit is flipped, a page is zeroed, or the file is cut, in files of every kind that the study
writes. A cut of just the last line, the SHA-256, leaves a whole file as older versions wrote it;
everything else must be refused in one sentence that names the file. Of a pack of the store only the
models that are damaged may be lost.

    python tests/faults/flip_anywhere.py --cases 3000 --seed 0
"""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow_scripts")]

import xarray as xr  # noqa: E402

from rote.files import netcdf, pack  # noqa: E402
from rote.files.arrays import decode  # noqa: E402
from rote.files.store import Store  # noqa: E402
from rote.machine.errors import Damaged  # noqa: E402
from tiny_study import Study  # noqa: E402

PAGE = 4096


def flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip one bit."""
    damaged = bytearray(content)
    damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
    return bytes(damaged)


def zeroed(content: bytes, rng: np.random.Generator) -> bytes:
    """Set one page of the file to zero."""
    first = rng.integers(-(-len(content) // PAGE)) * PAGE
    page = content[first : first + PAGE]
    return content[:first] + bytes(len(page)) + content[first + len(page) :]


def truncated(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut the file at a random place."""
    return content[: rng.integers(1, len(content))]


def emptied(content: bytes, rng: np.random.Generator) -> bytes:
    """Leave nothing."""
    return b""


DAMAGES = (flipped, zeroed, truncated)
KINDS = {
    "data": "data/*.nc",
    "noised data": "results/*/datasets/**/*.nc",
    "runs": "results/*/runs/**/*.nc",
    "metrics": "results/*/metrics/*.nc",
    "models": "results/store/*.pack",
}


def damage(original: Path, copy: Path, cases: int, rng: np.random.Generator) -> Counter:
    """Return how many damages of a file were refused, and how many changed nothing.

    Raises:
        AssertionError: other content was read, or the sentence does not name the file.
    """
    content, intact = original.read_bytes(), netcdf.read(original)
    counts = Counter()
    for i in range(cases):
        copy.write_bytes(DAMAGES[i % len(DAMAGES)](content, rng))
        try:
            xr.testing.assert_identical(netcdf.read(copy), intact)
            counts["unchanged"] += 1
        except Damaged as error:
            assert str(error).startswith(f"{copy} is damaged ("), error
            assert len(str(error).splitlines()) == 1, error
            counts["refused"] += 1
    return counts


def damage_pack(original: Path, folder: Path, cases: int, rng: np.random.Generator) -> Counter:
    """Return how many damages of a pack cost a record, and how many none.

    Raises:
        AssertionError: other content was read, or a record was lost that was not damaged.
    """
    content, records = original.read_bytes(), list(pack.records(original))
    intact = {(r.key, r.epoch): decode(pack.content(r)) for r in records}
    counts, copy = Counter(), folder / original.name
    folder.mkdir(exist_ok=True)
    for i in range(cases):
        damaged = DAMAGES[i % len(DAMAGES)](content, rng)
        copy.write_bytes(damaged)
        padded = np.frombuffer(damaged.ljust(len(content), b"\0"), np.uint8)
        hit = np.flatnonzero(padded != np.frombuffer(content, np.uint8))
        hit = np.r_[hit, len(damaged) : len(content)]
        store, lost = Store(folder), 0
        for record in records:
            if record.epoch >= 0:
                found = store.load_parameters(record.key, record.epoch)
            else:
                found = store.load(record.key)
            if found is None:
                lost += 1
                assert ((record.offset <= hit) & (hit < record.offset + record.size)).any()
            else:
                xr.testing.assert_identical(found, intact[record.key, record.epoch])
        counts["refused" if lost else "unchanged"] += 1
    return counts


def main() -> None:
    """Print the numbers, and fail at the first damage that is read as other content."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started, rng, total = time.monotonic(), np.random.default_rng(options.seed), Counter()
    logging.disable(logging.WARNING)  # a line for every model that is lost
    with tempfile.TemporaryDirectory() as name:
        study = Study(Path(name))
        study.snakemake("fig4_1")
        for kind, pattern in KINDS.items():
            path, cases = sorted(study.folder.glob(pattern))[0], options.cases // len(KINDS)
            if path.suffix == ".pack":
                counts = damage_pack(path, study.folder / "copy", cases, rng)
            else:
                counts = damage(path, study.folder / "copy.nc", cases, rng)
            print(
                f"  {kind:12} {path.stat().st_size:9,} bytes: {counts['refused']} refused, "
                f"{counts['unchanged']} unchanged"
            )
            total += counts
    print(
        f"{total.total()} damages (seed {options.seed}): {total['refused']} refused, "
        f"{total['unchanged']} read as written, 0 read as anything else "
        f"({time.monotonic() - started:.0f} s)."
    )


if __name__ == "__main__":
    main()
