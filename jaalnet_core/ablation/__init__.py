"""Comparing variants of one training: several seeds each, the same pictures, and "undecided" as an answer."""
