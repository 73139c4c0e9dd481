"""The measures of the study: pure functions of arrays and tensors.

``critical_samples`` searches for another prediction close by, ``sensitivity`` says how much each
training example matters to the loss (by way of ``adjoints``, the backward sweep through training),
and ``gini`` how unequally something is shared out. ``training_dynamics``, ``gradient_norms`` and
``input_curvature`` are cheap stand-ins for a memorisation score. They know no file and no setting.
"""
