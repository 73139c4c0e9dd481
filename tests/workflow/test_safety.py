"""Nothing in data, store or configuration is executed."""

import ast

from conftest import ROOT

# What can execute what it reads; torch.load by pickles, numpy unless it is told not to.
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "load_module", "exec_module"}
CALLS |= {"torch.load", "np.load", "numpy.load"}
MODULES = {"pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
HARMLESS = {
    "re.compile": "a pattern",
    "yaml.load": "read with a kind of SafeLoader, by rote.study.configuration",
}


def _without_pickles(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "np.load" and "allow_pickle=False" in ast.unparse(call)


def test_no_script_executes_or_unpickles_what_it_reads():
    found, paths = [], sorted((ROOT / "workflow_scripts").rglob("*.py"))
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [alias.name for alias in node.names]
                modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                found += [(path, name) for name in modules if name.partition(".")[0] in MODULES]
            if isinstance(node, ast.Call) and not _without_pickles(node):
                called, whole = ast.unparse(node.func), ast.unparse(node)
                last = called.rpartition(".")[2]
                unsafe = "unsafe" in whole.lower() and called.startswith("yaml.")
                if "shell=True" in whole or "allow_pickle=True" in whole or unsafe:
                    found.append((path, whole))
                if ({called, last} & CALLS or called == "yaml.load") and called not in HARMLESS:
                    found.append((path, called))
                if last == "exec_module":
                    assert path.name == "made_module.py"  # of a model that the user names
                    found.remove((path, called))
                if called == "yaml.load":
                    assert path.name == "configuration.py"
    assert not found
    assert len(paths) > 30
