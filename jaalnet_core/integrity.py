"""Whether a file still is what was written: a disk, a USB stick or a bad cable flips a bit, and no reader notices.

`torch.load` does not look at the check sums that its zip file carries, and safetensors has none. So checkpoints are
checked by their CRC-32 sums (11 ms for 30 MB), and weights carry a SHA-256 in their header (65 ms for 30 MB).
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

_KEY = "sha256"  # in a safetensors header's `__metadata__`
_LONGEST_HEADER = 100_000_000  # bytes, safetensors' own bound


def sealed(file: bytes) -> bytes:
    """The same safetensors file with its metadata sorted and the SHA-256 of everything else among them.

    safetensors writes metadata in another order every time; in one order equal weights are equal files.
    """
    start = 8 + int.from_bytes(file[:8], "little")
    header = json.loads(file[8:start])
    digest = hashlib.sha256(_without_seal(header) + file[start:]).hexdigest()
    header["__metadata__"] = dict(sorted((header["__metadata__"] | {_KEY: digest}).items()))
    text = _as_json(header)
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + file[start:]


def is_as_sealed(path: Path) -> bool:
    """Whether a safetensors file is what `sealed` made; True for one without a seal (older, or from elsewhere).

    Raises:
        OSError, ValueError: it cannot be read as safetensors.
    """
    with Path(path).open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError(f"found a header of {length} bytes")
        header = json.loads(file.read(length))
        seal = (header.get("__metadata__") or {}).get(_KEY)
        if seal is None:
            return True
        digest = hashlib.sha256(_without_seal(header))
        hashlib.file_digest(file, lambda: digest)
        return digest.hexdigest() == seal


def damaged_member(path: Path) -> str | None:
    """The first part of a checkpoint (a zip file, as `torch.save` writes it) whose CRC-32 is wrong, or None.

    Raises:
        OSError, RuntimeError, zipfile.BadZipFile: it cannot be read as such a file.
    """
    with zipfile.ZipFile(path) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise zipfile.BadZipFile("found compressed parts, which PyTorch does not write")
        return archive.testzip()


def _without_seal(header: dict[str, Any]) -> bytes:
    metadata = {name: value for name, value in header["__metadata__"].items() if name != _KEY}
    return _as_json(header | {"__metadata__": dict(sorted(metadata.items()))})


def _as_json(header: dict[str, Any]) -> bytes:
    return json.dumps(header, separators=(",", ":")).encode()
