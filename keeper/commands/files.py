"""Files that a command writes for a person."""

from __future__ import annotations

from pathlib import Path

from keeper.errors import MilepostError


def write_file(path: Path, content: bytes, *, keep: Path) -> None:
    """Write a file, in place of what was there; USAGE where it cannot be, or is `keep`, which it was made from."""
    try:
        if keep.exists() and path.exists() and path.samefile(keep):
            raise MilepostError(
                "USAGE", f"{path} is the file that this is made from", cause="expected another file to write to"
            )
        path.write_bytes(content)
    except OSError as error:
        raise MilepostError("USAGE", f"{path} cannot be written", cause=error.strerror or str(error)) from error
