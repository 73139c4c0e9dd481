"""Which settings the verdicts depend on: the record of studies that varied them."""

import json
from pathlib import Path

# {preset: {part of a claim: [setting, …]}}
RECORD = Path(__file__).with_name("stability.json")


def dependent_on(preset: str) -> dict[str, list[str]]:
    """Return the settings on which the verdict of a part depends, by the name of the part.

    Parts that are not there depend on none of the settings that were varied, or none was.
    """
    return json.loads(RECORD.read_text("utf-8")).get(preset, {})
