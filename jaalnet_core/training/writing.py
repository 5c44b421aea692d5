"""What a run says when its folder takes no more: a full disk, a folder without permission, a quota."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jaalnet_core.errors import CheckpointError


@contextmanager
def writing(folder: Path, what: str) -> Iterator[None]:
    """Turn a failure to write into words and a mend.

    Args:
        folder: the run's.
        what: is being written ("the checkpoint").

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as a RuntimeError
        if "DataLoader worker" in str(error):  # PyTorch tells a worker's death wherever the run is just then
            raise
        reason = str(error).split("\n")[0]
        raise CheckpointError(
            f"{folder}: {what} could not be written ({reason}). Free some space there, see that you may write there, "
            "or choose another --out; checkpoints before it are untouched, and --resume goes on from the newest."
        ) from error
