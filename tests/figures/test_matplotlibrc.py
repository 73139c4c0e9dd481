"""A user's settings of matplotlib change no figure."""

import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import xarray as xr

from conftest import ROOT
from rote.figures import fig3_1, style

HOSTILE = """
text.usetex: True
font.family: serif
font.size: 20
savefig.bbox: tight
savefig.transparent: True
axes.facecolor: red
axes.prop_cycle: cycler("color", ["r"])
figure.dpi: 31
figure.constrained_layout.use: False
lines.linestyle: --
path.simplify: False
pdf.compression: 0
backend: tkagg
"""
DRAW = f"""
import sys
sys.path.insert(0, {str(ROOT / "workflow_scripts")!r})
import xarray as xr
from rote.figures import fig3_1, style
with style.paper():
    style.save(fig3_1.draw(xr.load_dataset("metrics.nc")), "f.png", "f.pdf")
"""


@pytest.fixture
def metrics() -> xr.Dataset:
    attrs = {"experiments": 3, "epochs": 1, "reference": "randX", "noise_level": 1.0}
    return xr.Dataset(
        {
            "misclassification_rate": (
                ("condition", "example", "seed"),
                [[[0.1, 0.2], [0.4, 0.3]], [[0.6, 0.7], [0.7, 0.6]]],
            ),
            "spread": (("condition", "seed"), [[0.3, 0.2], [0.1, -0.1]]),
            "spread_within_label": (("condition", "seed"), [[0.2, 0.1], [0.1, -0.1]]),
            "diverged": (("condition", "experiment", "seed"), np.zeros((2, 3, 2), bool)),
            "binomial_reference": (("example", "seed"), [[0.6, 0.6], [0.7, 0.5]]),
        },
        coords={"condition": ["real", "randX"], "seed": [0, 1]},
        attrs=attrs | {"protocol": "Synthetic", "diverged_members": 0},
    )


def draw(metrics, folder) -> list[bytes]:
    with style.paper():
        style.save(fig3_1.draw(metrics), folder / "own.png", folder / "own.pdf")
    return [(folder / f"own.{kind}").read_bytes() for kind in ("png", "pdf")]


def test_settings_of_the_same_process_change_no_figure(metrics, tmp_path):
    expected = draw(metrics, tmp_path)
    own = {"font.size": 20, "font.family": "serif", "savefig.bbox": "tight", "lines.linestyle": ":"}
    with matplotlib.rc_context(own):
        assert draw(metrics, tmp_path) == expected
        assert matplotlib.rcParams["lines.linestyle"] == ":"


@pytest.mark.slow
@pytest.mark.parametrize("place", ["folder", "broken", "elsewhere"])
def test_a_matplotlibrc_changes_no_figure(metrics, tmp_path, place):
    metrics.to_netcdf(tmp_path / "metrics.nc")
    expected = draw(metrics, tmp_path)
    environment = os.environ | {"MPLBACKEND": "nonsense"}
    if place == "folder":
        (tmp_path / "matplotlibrc").write_text(HOSTILE)
    elif place == "broken":
        (tmp_path / "matplotlibrc").write_bytes(b"\xff\xfe\x00: no text")
    else:
        styles = tmp_path / "config" / "matplotlib" / "stylelib"
        styles.mkdir(parents=True)
        (styles / "broken.mplstyle").write_bytes(b"\xff\xfe")
        (styles.parent / "matplotlibrc").write_bytes(b"\xff\xfe")
        (tmp_path / "rc").write_text(HOSTILE + "no setting\nfont.size: large\n")
        environment |= {
            "MATPLOTLIBRC": str(tmp_path / "rc"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        }
    ran = subprocess.run(
        [sys.executable, "-c", DRAW], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert [(tmp_path / f"f.{kind}").read_bytes() for kind in ("png", "pdf")] == expected
