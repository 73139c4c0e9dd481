"""Do deep nets learn by rote? The package of the study; this is its map.

Plain arrays, tensors and datasets in and out: nothing here knows Snakemake. Each room says in its
first paragraph what lives there, and a room uses those below it alone:

- ``api``: the front door for notebooks, arrays in and trained models out: ``docs/recipes.md``;
- ``archive``: a finished study in one file, described as an RO-Crate;
- ``claims``, ``figures``, ``metrics``: one module a claim, a figure, a figure's numbers;
- ``runs``: from a noised data set to a run, a module a kind of run, and what they share;
- ``models``: many models trained as one ensemble, their optimizer, their regularisers;
- ``measures``: the measures of the study, as functions of arrays and tensors;
- ``data``: where images come from, and how noise replaces them;
- ``files``: NetCDF that is whole or absent, its provenance, the store of finished members;
- ``study``: what there is to do: presets, plan, sizes, the check of the configuration;
- ``machine``: the device, signals, the working folder, randomness, progress, errors.

The way of the data: ``data`` → ``runs`` (``models``, ``measures``) → ``metrics`` → ``figures``,
``claims``. Importing this package loads the standard library alone.
"""

__version__ = "1.0.0"
