"""A finished study in one ZIP file, with a description that machines read: to be deposited.

``contents`` says which files belong to it; ``crate`` describes them as a Workflow Run RO-Crate,
with ``citation``, ``verdicts`` and ``pages``; ``packing`` writes the file.
"""
