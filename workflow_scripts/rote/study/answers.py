"""How a question of Snakemake's is answered where its answer is that the user made a mistake.

A mistake that only a job can show, such as a run that an experiment does not have, ends Snakemake
with a sentence: an exception would reach the user as a traceback.
"""

import functools
import sys
from collections.abc import Callable

from rote.machine.errors import UserError


def answer(method: Callable) -> Callable:
    """Have a method of ``rote.study.jobs.Study`` end Snakemake with a sentence for a UserError."""

    @functools.wraps(method)
    def answering(self, *arguments, **named):
        try:
            self._asked()
            return method(self, *arguments, **named)
        except UserError as error:
            sys.exit(f"Error: {error}")

    return answering
