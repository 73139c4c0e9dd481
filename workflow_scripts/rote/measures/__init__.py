"""The measures of the study: pure functions of arrays and tensors.

``critical_samples`` searches for another prediction close by, ``sensitivity`` says how much each
training example matters to the loss (by way of ``adjoints``, the backward sweep through training),
and ``gini`` how unequally something is shared out. They know no file and no setting.
"""
