"""A second way to every number of a results folder: `benchmark verify`.

Nothing in here scores with the suite's own code (`benchmark.metrics`) or with what that rests on (ir-measures,
scikit-learn): the definitions are written down again, in plain Python and NumPy, and applied to the stored files. Two
programs that agree to eight digits are seldom wrong in the same way.
"""
