"""Errors meant for the person at the keyboard: each message says what, where, and how to mend it."""


class JaalnetError(Exception):
    """Base of every error that the command line prints as one clear message instead of a traceback."""


class DataError(JaalnetError):
    """A data folder, archive or split that cannot be used as it is."""


class PictureError(DataError):
    """One picture or mask that cannot be read; the message names the file."""


class CheckpointError(JaalnetError):
    """A checkpoint or weights file that is missing, damaged or made for another network."""


class SettingsError(JaalnetError):
    """A setting outside its range, or settings that contradict each other."""


class TrainingError(JaalnetError):
    """A training run that had to stop; the message names the reason and the last good checkpoint."""
