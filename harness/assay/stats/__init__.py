"""Statistics of scores: pure functions of numbers, no record, no file, no model.

noise, items               how far a mean, or a difference of two, can be trusted
multiplicity, ranks        many comparisons at once
power, rules               what can be detected, and which claims count
transfer, calibration      whether a small scale predicts a large one
laws                       curves over compute, and over the ratio of a data mixture
results_table              published tables of results
"""
