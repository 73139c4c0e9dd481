"""Nothing in data or store is executed, and no name leads out of the results folder."""

import ast
import re

import numpy as np
import pytest

from conftest import ROOT
from rote.files import netcdf
from rote.machine.errors import UserError
from rote.study import plan
from rote.study.configuration import SCHEMA

SCRIPTS = sorted((ROOT / "workflow_scripts").rglob("*.py"))
# What can execute what it reads; torch.load by pickles, numpy with allow_pickle.
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "load_module"}
FORBIDDEN_MODULES = {"pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_executes_or_unpickles_what_it_reads(path):
    text = path.read_text()
    assert "allow_pickle=True" not in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not FORBIDDEN_MODULES & {name.partition(".")[0] for name in names}
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called not in ("re.compile", "torch.compile"):
                assert called.rpartition(".")[2] not in FORBIDDEN_CALLS, called
            assert called not in ("torch.load", "np.load", "numpy.load"), called
            assert not (called.startswith("yaml.") and "unsafe" in called.lower()), called
            assert "shell=True" not in ast.unparse(node), called
            if called == "yaml.load":  # settings.read, whose loader is a kind of SafeLoader
                assert path.name == "settings.py"


def test_the_modules_are_there_to_be_read():
    assert len(SCRIPTS) > 30


def test_objects_in_a_netcdf_file_stay_text(tmp_path):
    """NetCDF has no type that would be executed; arrays of objects cannot even be written."""
    import xarray as xr

    named = {"long_name": "x", "units": "1"}
    with pytest.raises((UserError, ValueError, TypeError)):
        netcdf.write(xr.Dataset({"x": ("a", np.array([{1: 2}], object), named)}), tmp_path / "a.nc")
    netcdf.write(xr.Dataset({"x": ("a", ["__import__(1)"], named)}), tmp_path / "a.nc")
    assert netcdf.read(tmp_path / "a.nc")["x"].values.tolist() == ["__import__(1)"]


def names(schema, found):
    """Collect the schema of the keys of every object whose keys the user chooses."""
    for key, part in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "propertyNames":
            found.append(part)
        elif isinstance(part, dict | list):
            names(part, found)
    return found


def test_whatever_the_user_names_is_checked_to_be_a_plain_word():
    chosen = names(SCHEMA, [])
    assert len(chosen) == 3  # data sets, presets and cases
    assert all(part == {"$ref": "#/$defs/name"} for part in chosen)
    pattern = re.compile(SCHEMA["$defs"]["name"]["pattern"])
    for name in ("demo", "my_data2", "storehouse"):
        assert pattern.search(name), name
    for name in (
        "",
        "..",
        ".",
        "/etc",
        "a/b",
        "a..b",
        "../a",
        "a\n",
        "Ä",
        "~",
        "-x",
        "store",
        "1a",
    ):
        assert not pattern.search(name), name


def test_other_parts_of_paths_are_numbers_or_words_of_rote(settings, convergence_settings):
    word = re.compile(r"[a-z_]+(-[1-9]\d*)?")
    runs = plan.runs("fig1", settings) + plan.runs("fig2", convergence_settings)
    runs += [*plan.REGULARIZERS, *plan.EXPERIMENT_OF_FIGURE.values()]
    assert all(word.fullmatch(name) for name in runs), runs
