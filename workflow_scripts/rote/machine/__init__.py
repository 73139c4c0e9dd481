"""The machine: what the study needs to know of the computer that it runs on, and of chance.

``device`` chooses where to compute and ``device_claim`` gives each job a device of its own;
``interruption`` is about signals, ``working_folder`` about the folder that Snakemake works in,
``progress`` about the time that is left, ``errors`` about the sentences that users read;
``randomness`` gives every use of chance its own stream of numbers; ``torchvision_import`` imports
torchvision beside any build of torch.
"""
