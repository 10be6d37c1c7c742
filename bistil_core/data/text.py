"""Text that a user has on disk, read document by document and cleaned."""

import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from bistil_core.errors import BistilError

_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_READABLE = ".txt (a document per line), .jsonl (field `text`), either also as .gz or .zst, .parquet (column `text`)"

# C0 and C1 controls but for those that str.split takes for white space; byte order marks; lone surrogates,
# which UTF-8 cannot hold. Joiners and direction marks stay: Indic and Arabic scripts need them.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """The text in Unicode NFC on one line: no control characters, white space collapsed to single spaces."""
    return " ".join(unicodedata.normalize("NFC", _UNWANTED.sub("", text)).split())


def text_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files that `paths` stand for: files as given, folders as their readable files, sorted by path.

    Raises:
        BistilError: a path that is missing or that is no readable kind of file; a folder without any.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if _kind(file) and _visible(file, path))
            if not inside:
                raise BistilError(f"{path}: no text in this folder; readable: {_READABLE}")
            files.extend(inside)
        elif not path.exists():
            raise BistilError(f"{path}: no such file or folder; correct the path in the configuration")
        elif not _kind(path):
            raise BistilError(f"{path}: cannot read {path.suffix or 'a file without suffix'}; readable: {_READABLE}")
        else:
            files.append(path)
    return files


def read_documents(paths: Iterable[str | Path]) -> Iterator[str]:
    """The documents of files and folders (see `text_files`), in order, as they are written there.

    Raises:
        BistilError: as `text_files`; an empty file, binary data, invalid UTF-8, no `text`, with the line.
    """
    for path in text_files(paths):
        if path.stat().st_size == 0:
            raise BistilError(f"{path}: the file is empty; give text or take it out of the configuration")
        yield from _READERS[_kind(path)](path)


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file, numbered from 1, without their ends; .gz and .zst are decompressed.

    Raises:
        BistilError: NUL bytes, invalid UTF-8 or damaged compression, with file, line and byte offset.
    """
    offset = 0
    with _opened(path) as file:
        for number, line in enumerate(_raw_lines(file, path), start=1):
            yield number, _decoded(line, path, number, offset)
            offset += len(line)


def _decoded(line: bytes, path: Path, number: int, offset: int) -> str:
    if b"\0" in line:
        raise BistilError(
            f"{path}: line {number} has a NUL byte at byte {offset + line.index(0)}: "
            "this is binary data or UTF-16; give text in UTF-8"
        )
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BistilError(
            f"{path}: line {number} is not UTF-8: 0x{line[error.start]:02x} at byte {offset + error.start}; "
            "convert the file to UTF-8 (iconv -f latin1 -t utf-8, for instance)"
        ) from None
    return (text.removeprefix("\ufeff") if number == 1 else text).rstrip("\r\n")


def _raw_lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    try:
        yield from file
    except OSError as error:
        raise BistilError(f"{path}: damaged or not compressed as its name says ({error})") from None


def _opened(path: Path) -> BinaryIO:
    compression = _COMPRESSIONS.get(path.suffix)
    if compression is None:
        return open(path, "rb")
    return io.BufferedReader(pa.input_stream(str(path), compression=compression))


def _text_lines(path: Path) -> Iterator[str]:
    for _, line in lines_of(path):
        yield line


def _json_lines(path: Path) -> Iterator[str]:
    for number, line in lines_of(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise BistilError(f"{path}: line {number} is not JSON ({error}); write one object per line") from None
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            found = f"the fields {', '.join(value)}" if isinstance(value, dict) else type(value).__name__
            raise BistilError(f"{path}: line {number} has no string `text` but {found}; rename the field to `text`")
        yield value["text"]


def _parquet_rows(path: Path) -> Iterator[str]:
    with open_parquet(path) as file:
        schema = file.schema_arrow
        kinds = {field.name: field.type for field in schema}
        if "text" not in kinds or not (pa.types.is_string(kinds["text"]) or pa.types.is_large_string(kinds["text"])):
            found = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
            raise BistilError(f"{path}: no string column `text`, found: {found}; rename the column to `text`")
        for batch in file.iter_batches(1000, columns=["text"]):
            yield from (text or "" for text in batch["text"].to_pylist())


def open_parquet(path: Path) -> pq.ParquetFile:
    """An open Parquet file; a file of another kind is a BistilError."""
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BistilError(f"{path}: not a Parquet file ({error}); write it anew or correct its suffix") from None


def _kind(path: Path) -> str | None:
    """The suffix that tells how to read the file: of `a.txt.gz` it is .txt; None for a file that is not read."""
    if path.suffix not in _COMPRESSIONS:
        return path.suffix if path.suffix in _READERS else None
    inner = Path(path.stem).suffix
    return inner if inner in _READERS and inner != ".parquet" else None


def _visible(file: Path, folder: Path) -> bool:
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)


_READERS = {".txt": _text_lines, ".jsonl": _json_lines, ".parquet": _parquet_rows}
