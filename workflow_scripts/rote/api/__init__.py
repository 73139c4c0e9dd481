"""The study without its workflow: arrays in, trained models and their measures out.

Twenty models on images ``X`` (n, rows, columns), grey levels from 0 to 255, with labels ``y`` (n,),
ten on the labels as they are and ten on random ones, and their curves::

    from rote import api

    data = api.data(X, y, train_examples=1000, validation_examples=500, noises=["randY"], seeds=10)
    models = api.train(
        data,
        {"hidden_layers": 2, "hidden_units": 64},
        conditions=[("real", 0), ("randY", 1)],
        epochs=30,
        learning_rate=0.1,
    )
    models.curves["train_accuracy"].plot(hue="member")

Numbers are those of the workflow with the same settings and seeds. Models are kept in a ``store``,
a folder: with the same one again, also that of a study, ``results/store``, only what is missing is
computed. A model that is a function is not found there by another process, which cannot know what
the function does: name it by its file for that, see ``docs/own-models.md``. Without a store models
are kept as long as the :class:`Trained` that holds them. Memorisation scores need models on random
subsets: for them take the experiment ``memorization`` of the workflow. After an edit of this
package Python must be started anew.
"""

from rote.study import code

code.note_imported()  # before the code is, so that no edit is missed

from rote.api.arrays import data, inputs  # noqa: E402
from rote.api.trained import Trained  # noqa: E402
from rote.api.training import sensitivity, train  # noqa: E402

__all__ = ["Trained", "data", "inputs", "sensitivity", "train"]
