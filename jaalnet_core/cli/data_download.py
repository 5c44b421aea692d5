"""Download ISBI2016 (four archives, about 840 MB) into the data folder, ready for training.

A download that was cut goes on where it stopped: call again. What is there already is not fetched twice.
"""

from __future__ import annotations

from dataclasses import replace

from jaalnet_core.data.download import DownloadSettings as Settings
from jaalnet_core.data.download import download
from jaalnet_core.data.layout import find_layout

__all__ = ["Settings", "run"]


def run(settings: Settings) -> int:
    """Download, say for each folder what was done, and count what training will find."""
    settings = replace(settings, out=settings.out.expanduser())
    try:
        fetched = download(settings)
    except KeyboardInterrupt:
        print("interrupted; what has arrived is kept, call again to go on.")
        return 130
    for part in fetched:
        remark = f" ({part.remark})" if part.remark else ""
        print(f"{part.action:<10} {part.files:>4} files  {part.folder}{remark}")
    layout = find_layout(settings.out)
    print(f"{settings.out}: {len(layout.train)} pictures for training, {len(layout.test)} for testing.")
    if layout.dropped:
        print(f"left out of training, the test set holds the same pictures: {', '.join(layout.dropped)}.")
    return 0
