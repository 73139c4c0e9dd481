"""What the variables of a run are, in words.

Attributes are given to a run when it is assembled, so a member that an earlier version of rote has
stored gets those of this one. All numbers are counts, fractions or entropies, so their unit is 1.
"""

import xarray as xr

from rote.study.figures import EXPERIMENTS

NUMBERS = {
    "noise_level": "fraction of the training examples that noise replaces",
    "noise_seed": "draw of the noise",
    "seed": "replicate",
    "experiment": "which of the trainings on the same data",
    "data_seed": "draw of training and validation examples",
    "initial_seed": "seed of the weights before training",
    "order_seed": "seed of the order of the examples, and of all else drawn in training",
    "learning_rate": "learning rate at the beginning of the training",
    "weight_decay": "strength of weight decay",
    "dropout": "probability that dropout sets a hidden activation to zero",
    "input_dropout": "probability that dropout sets an input to zero",
    "hidden_noise": "standard deviation of the noise that is added to hidden activations",
    "input_noise": "standard deviation of the noise that is added to inputs",
    "adversarial": "weight of adversarial examples in the loss",
    "epoch": "epochs of training done",
    "update": "updates of SGD done",
    "class_update": "updates of SGD done when the sensitivity of classes was measured",
    "critical_epoch": "epochs of training done at the search for critical samples",
    "train_loss": "mean cross-entropy over the training examples, in nat",
    "train_accuracy": "accuracy on the training examples and their labels",
    "validation_accuracy": "accuracy on the real validation examples",
    "misclassified": "example is classified unlike the label trained on, after the last epoch",
    "diverged_epoch": "epoch at which the loss was first found not finite, 0 if it never was",
    "converged_epoch": "epoch at which the training accuracy reached the threshold, 0 if never",
    "plateau_epoch": "epoch at which the training accuracy had levelled off, 0 if it never had",
    "critical_sample_ratio": "fraction of inputs that are critical",
    "commonest_class_share": "fraction of inputs in the class that is predicted most often: near 1 "
    "the ratio of critical samples is low, whatever the boundary",
    "radius": "half the side of the box that is searched for critical samples, in grey levels",
    "filter": "weights of a map of the first layer",
    "sensitivity": "norm of the derivative of the mean training loss by the input, in nat",
    "class_sensitivity": "mean norm of the derivative of the loss terms of a class by an input of "
    "a class, in nat",
    "index": "position of the training example in its part of the original data set",
    "label": "label trained on",
    "replaced": "noise replaces the training example",
    "right": "example is classified as the label trained on: a bit each, as of numpy.packbits",
    "validation_right": "validation example is classified as its class: a bit each",
    "trained_on": "training example is in the subset that the member is trained on: a bit each",
    "changed": "noise has given the example another label, or another input",
    "image": "real training input, in grey levels above the darkest of all pixels",
    "validation_image": "the same of the validation examples",
    "validation_label": "class of the validation example",
    "validation_index": "position of the validation example in its part of the original data set",
    "percent": "percentage of the training examples that the member is trained on",
    "left_out": "example of these that it is not trained on, counted from 1; 0: none",
    "forgetting_events": "times that the example was right when it was presented, and wrong the "
    "next time",
    "first_learned": "epoch in which the example was first right when it was presented, 0 if it "
    "never was",
    "area_under_margin": "mean over the epochs of the logit of the label trained on less the "
    "greatest other one, when presented",
    "cumulative_loss": "mean over the epochs of the cross-entropy when presented, in nat",
    "error_norm": "EL2N: norm of softmax less one-hot when presented in an early epoch",
    "wrong_at_second": "example is wrong when presented in epoch 2",
    "misclassified_after_one": "example is classified unlike the label trained on after one epoch",
    "gradient_norm": "GraNd: norm of the gradient of the example's loss by the parameters, early",
    "input_curvature": "norm of the second derivative of the example's loss by its input, mean "
    "over an early epoch, the middle and the last, in nat",
    "loss_sensitivity": "norm of the derivative of the mean training loss by the input, over that "
    "of the mean example, mean over training",
    "image_seed": "replicate whose examples these are",
    "draw_noise_level": "fraction of the training examples that noise replaces",
    "draw_noise_seed": "draw of the noise",
    "draw_data_seed": "draw of training and validation examples",
    "draw_seed": "replicate",
    "loss": "cross-entropy of the training example, in nat",
    "margin": "logit of the label trained on less the greatest other one",
    "loss_mean": "mean over the epochs of the cross-entropy of the training example, in nat",
    "loss_variance": "variance over the epochs of the same, in nat squared",
    "probability_mean": "mean over the epochs of the probability of the label trained on",
    "probability_variance": "variance over the epochs of the same",
}
for experiment in EXPERIMENTS.values():
    NUMBERS |= experiment.variables
TEXTS = {
    "draw_noise_kind": "noise in inputs or labels, by its name; real: none",
    "class_name": "names of the classes",
    "noise_kind": "noise in inputs or labels, by its name; real: none",
    "critical_inputs": "validation inputs: real, or noise as trained on; training inputs: train",
    "norm": "norm over the pixels of an input: l1, l2 or linf, the largest",
    "loss_class": "class of the loss terms, by its name",
    "example_class": "class of the training example, by its name",
    "device": "computed on",
    "git_commit": "commit of rote that computed the member",
    "software": "versions of what it was computed with, YAML",
}
ATTRIBUTES = {name: {"long_name": words, "units": "1"} for name, words in NUMBERS.items()} | {
    name: {"long_name": words} for name, words in TEXTS.items()
}


def described(run: xr.Dataset) -> xr.Dataset:
    """Return ``run`` with the attributes of its variables, and no others."""
    run = run.drop_attrs()
    for name, variable in run.variables.items():
        variable.attrs = dict(ATTRIBUTES[name])
    return run
