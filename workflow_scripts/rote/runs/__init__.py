"""From a noised data set to a run: all members of one shape, in one dataset.

One module a kind of run: ``training``, ``complexity`` (training, then critical samples) and
``sensitivity``. Each has ``compute_run``, and they share: ``members`` (what the store lacks is
computed, in groups that are halved when memory runs out), ``grouping`` (how large a group pays),
``device_data`` (the inputs on the device) and ``epochs`` (training, epoch by epoch, with
checkpoints). ``estimate`` measures what a study takes before it runs.
"""
