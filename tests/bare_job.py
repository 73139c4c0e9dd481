"""What a script is given by a rule, as far as every script needs it."""

from pathlib import Path
from types import SimpleNamespace

from rote.study.made_by import code_of

CODE = code_of("job", None)  # of a rule without modules of its own


def bare_job(log: str | Path) -> SimpleNamespace:
    """Return a job that has nothing but a log, and whose code was not edited."""
    params = SimpleNamespace(code=CODE)
    return SimpleNamespace(log=[str(log)], input=[], wildcards=SimpleNamespace(), params=params)
