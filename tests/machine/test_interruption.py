import os
import signal

import pytest
import xarray as xr

import stores
from bare_job import bare_job
from job import job
from rote.files.store import Store
from rote.machine import interruption
from rote.machine.interruption import Stopped
from rote.models.ensemble import Ensemble
from rote.runs import training as runs

BOTH = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def send(number):
    os.kill(os.getpid(), number)


@BOTH
def test_a_signal_stops_at_once_where_nothing_holds_it(number):
    before = signal.getsignal(number)
    with pytest.raises(Stopped, match=signal.Signals(number).name), interruption.stoppable():
        send(number)
        pytest.fail("went on")
    assert signal.getsignal(number) is before


@BOTH
def test_a_signal_is_held_back_to_the_end(number):
    done = []
    with pytest.raises(Stopped), interruption.stoppable():
        with interruption.held():
            assert not interruption.arrived()
            send(number)
            assert interruption.arrived()
            send(signal.SIGTERM)  # Snakemake passes on what the terminal has sent already
            done.append(1)
        pytest.fail("went on")
    assert done == [1]
    assert not interruption.arrived()


def test_a_second_ctrl_c_does_not_wait():
    with pytest.raises(Stopped), interruption.stoppable(), interruption.held():
        send(signal.SIGINT)
        send(signal.SIGINT)
        pytest.fail("went on")


@BOTH
def test_a_training_stops_after_the_epoch_with_a_checkpoint(
    noised, run_settings, tmp_path, monkeypatch, capsys, number
):
    def train(folder):
        return runs.compute_run(noised, run_settings, Store(folder), name="test", device="cpu")

    whole = train(tmp_path / "whole")
    original, epochs = Ensemble.train_epoch, []

    def train_epoch(self, epoch, updates=None):
        if updates is None:
            epochs.append(epoch)
            if len(epochs) == 2:
                send(number)
        original(self, epoch, updates)

    monkeypatch.setattr(Ensemble, "train_epoch", train_epoch)
    with (
        pytest.raises(SystemExit) as stopped,
        job(bare_job(tmp_path / "job.log")),
    ):
        train(tmp_path / "part")
    assert stopped.value.code == 128 + number
    printed = capsys.readouterr().err
    assert f"Stopped by {signal.Signals(number).name}: the same command goes on" in printed
    assert "Traceback" not in printed
    keys = {record.key for record in stores.checkpoints(tmp_path / "part")}
    saved = [Store(tmp_path / "part").load_checkpoint(key).attrs["epoch"] for key in keys]
    assert set(saved) == {epochs[-1]}  # no checkpoint was due: only the signal asked for it
    before = len(epochs)
    xr.testing.assert_identical(train(tmp_path / "part"), whole)
    assert epochs[-1] == run_settings["training"]["epochs"]
    assert saved[0] + 1 in epochs[before:]  # went on behind the checkpoint


def test_a_second_signal_does_not_cut_off_what_the_first_has_begun():
    cleaned = []
    with pytest.raises(interruption.Stopped, match="SIGINT"), interruption.stoppable():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleaned.append(True)
    assert cleaned
