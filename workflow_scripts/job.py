"""What scripts share: a log, one sentence for a mistake of the user, and the end of a run."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import xarray as xr

from rote import netcdf
from rote.errors import UserError


@contextmanager
def job(smk) -> Iterator[None]:
    """Log to the rule's log file and, so that one sees it, to the terminal.

    A :class:`UserError` ends the job with its sentence and without a traceback.
    """
    logger = logging.getLogger("rote")
    logger.setLevel(logging.INFO)
    handlers = [logging.FileHandler(smk.log[0], mode="w"), logging.StreamHandler(sys.stderr)]
    handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    except UserError as error:
        logger.error("Error: %s", error)
        sys.exit(1)
    except Exception:
        logger.exception("This is a bug in rote, not a mistake of yours; please report it.")
        sys.exit(1)
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def write_run(smk, run: xr.Dataset) -> None:
    """Write a run to the rule's output, with its settings and all devices that computed members."""
    devices = ", ".join(sorted(set(run["device"].values)))
    netcdf.write(netcdf.with_provenance(run, smk.params.run, device=devices), smk.output[0])
