"""The exercises, a module a lesson: what each asks, its hints, and the judge of its answers."""
