"""What there is to do: presets, experiments, runs and members, and the check of the configuration.

``configuration`` reads and merges it, with ``layers`` for what presets share, ``places`` for where
a value was written, and ``presets/`` for those that do not stand in ``config.yaml``; ``schema``
and ``check`` refuse what is wrong in a sentence, ``own_data`` what is the user's where rote writes.
``plans`` reads what ``make stability`` and ``make published`` have to do.
``plan`` and ``run_settings`` say which runs and members a preset has, ``jobs`` answers what
Snakemake's rules ask, ``sizes``, ``architecture`` and ``mlp`` know shapes, ``schedule`` how the
learning rate falls, ``work`` counts multiply-adds.
``code`` and ``versions`` tell edited code, and ``made_by`` says what every file is made by;
``notes`` spares the reading of what has not changed, ``image_folder`` lists images of a folder.

Snakemake's rules import this room, on every SLURM job: it loads the standard library alone, and
what reads and checks a configuration only when that is done.
"""
