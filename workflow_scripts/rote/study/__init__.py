"""What there is to do: presets, experiments, runs and members, and the check of the configuration.

``configuration`` reads and merges it (``presets/`` holds those of the package's presets that do not
stand in ``config.yaml``), ``check`` refuses what is wrong in a sentence, ``plan`` says which runs
and members a preset has, ``jobs`` answers what Snakemake's rules ask, ``sizes`` and
``architecture`` know shapes, ``work`` counts multiply-adds, ``versions`` numbers the code that
determines results.

Snakemake's rules import this room, on every SLURM job: it loads the standard library alone, and
what reads and checks a configuration only when that is done.
"""
