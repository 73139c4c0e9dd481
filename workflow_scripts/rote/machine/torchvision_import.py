"""The import of torchvision, beside a CUDA build of torch or a CPU one.

A torchvision that was built for CUDA stops at its import beside a CPU-only torch, for want of the
compiled operators nms and qnms. Data sets, transforms and models need neither: their schemas are
all that the import asks for. Once they are declared, torchvision can be imported anywhere in the
process, whichever part of it.
"""

import sys
from importlib import import_module
from types import ModuleType

_schemas = None  # a Library takes its schemas back when it is collected


def torchvision(part: str) -> ModuleType:
    """Import and return a part of torchvision, such as ``datasets`` or ``models``."""
    global _schemas
    try:
        return import_module(f"torchvision.{part}")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    import torch

    for module in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[module]
    _schemas = torch.library.Library("torchvision", "DEF")
    arguments = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    _schemas.define(f"nms{arguments}")
    _schemas.define(f"qnms{arguments}")
    return import_module(f"torchvision.{part}")
