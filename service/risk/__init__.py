"""The scoring core: pure functions of numbers, with no I/O, no clock and no randomness that is not passed in.

concentration   how few countries hold a mineral's output
governance      who governs the places it comes from
partners        what ties and restrictions stand between a buyer and those places
uncertainty     how far the figures and the conventions could move a score
methods         the scoring methods, one file each, with their public documentation
model           what goes in and what comes out
"""
