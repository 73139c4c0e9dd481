"""How a benchmark ends: its table as NetCDF, with where it comes from."""

import torch
import xarray as xr

from rote.files import netcdf
from rote.files.provenance import with_provenance
from rote.machine import device as devices


def write(
    result: xr.Dataset, settings: dict, describes: str, device: torch.device, output: str
) -> None:
    """Write ``result`` to ``output``, and say so; its title is the first line of ``describes``."""
    title, described = describes.splitlines()[0], devices.describe(device)
    netcdf.write(with_provenance(result, settings, title=title, device=described), output)
    print(f"written to {output}")
