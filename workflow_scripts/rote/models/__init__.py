"""Many models of one shape, trained as one: with a leading member axis on every tensor.

``model`` says what an ensemble asks of a model, and which kinds there are: ``mlp`` and ``cnn`` (by
way of ``convolution``; with many maps, of ``memberwise``; where autograd is wanted, of
``dilated``). ``ensemble`` is a group in training, ``optimizer`` says what it asks of its own,
``sgd`` or ``adam``, ``regularization`` is what disturbs it, ``workspace`` the memory that is used
again.
"""
