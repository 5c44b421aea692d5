"""The four published archives of ISBI2016 (ISIC challenge 2016, Part 1) and the hosts that give them."""

from __future__ import annotations

from dataclasses import dataclass

HOSTS = (
    "https://isic-challenge-data.s3.amazonaws.com/2016/",
    "https://isic-archive.s3.amazonaws.com/challenges/2016/",
)


@dataclass(frozen=True)
class OfficialArchive:
    """One of the published archives.

    Attributes:
        folder: the folder it unpacks to; the archive is `<folder>.zip`.
        files: how many pictures or masks the official one holds.
        rough_mb: its size to a few per cent, until the server says it exactly.
    """

    folder: str
    files: int
    rough_mb: int


ARCHIVES = (
    OfficialArchive("ISBI2016_ISIC_Part1_Training_Data", 900, 580),
    OfficialArchive("ISBI2016_ISIC_Part1_Training_GroundTruth", 900, 10),
    OfficialArchive("ISBI2016_ISIC_Part1_Test_Data", 379, 245),
    OfficialArchive("ISBI2016_ISIC_Part1_Test_GroundTruth", 379, 5),
)
