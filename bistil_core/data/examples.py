"""Labelled examples that a user has in a file: .tsv, .csv, .json, .jsonl, .parquet, or a kind of the task's own."""

import csv
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from bistil_core.data.format import FieldError, Format, shown
from bistil_core.data.readers import Lines, parsed_json
from bistil_core.data.text import lines_of, open_parquet
from bistil_core.errors import BistilError

LOGGER = logging.getLogger("bistil")

Columns = dict[str, str] | list[str] | None
"""Task field to column name; or, for a table without a header line, the fields in file order."""

Row = tuple[str | Lines, dict[str, Any]]
"""Where it stands in the file, for messages, and its values by column."""


def read_examples(
    path: Path, form: Format, columns: Columns, changed: Counter[str] | None = None
) -> tuple[pa.Table, int]:
    """The examples of a file, in order, and how many were left out for want of a gold label.

    Columns that the task does not need are passed over. A TSV has no quoting: a quotation mark is a character
    as any other, as in XNLI and MultiNLI. JSON is a list of objects or an object of objects. The task's format may
    bring kinds of files of its own, and tables only serve tasks without lists among their columns. What was left
    out or changed is logged.

    Args:
        path: the file; its suffix tells the kind.
        form: the task's format.
        columns: see `Columns`; a field that is not named has the column of its own name.
        changed: is added how often `form.normalise` changed what, as `form.changes` says.

    Returns:
        A table in `form.schema`, and the number of examples that `form.normalise` left out.

    Raises:
        BistilError: a missing, empty or malformed file, a missing column, a value that its field cannot take;
            with file, row and value.
    """
    readers = _readers(form)
    _check_file(path, readers)
    column_of = _column_of(path, form, columns)
    header = columns if isinstance(columns, list) else None
    kept, dropped, changes = [], 0, Counter()
    for place, row in readers[path.suffix](path, header):
        _check_columns(path, place, row, column_of)
        values = {field: row[column] for field, column in column_of.items()}
        try:
            example = form.normalise(values)
        except FieldError as error:
            raise BistilError(f"{path}: {_where(place, error)}: {error}; correct the file, or `columns`") from None
        if example is None:
            dropped += 1
        else:
            kept.append(example)
            changes.update(form.changes(values, example))
    if not kept:
        without = f" but {dropped} {form.left_out}" if dropped else ""
        raise BistilError(f"{path}: no examples{without}; give a file that has some")
    if dropped:
        LOGGER.info("%s: %d examples %s left out", path, dropped, form.left_out)
    for what, times in changes.items():
        if times:
            LOGGER.info("%s: %s: %d", path, what, times)
    if changed is not None:
        changed.update(changes)
    return pa.Table.from_pylist(kept, schema=form.schema), dropped


def _readers(form: Format) -> dict[str, Callable[[Path, list[str] | None], Iterator[Row]]]:
    """The kinds of files that examples of this format may lie in, by suffix."""
    tables = {} if any(map(pa.types.is_list, form.schema.types)) else _TABLES
    own = {suffix: lambda path, header, read=read: read(path) for suffix, read in form.readers.items()}
    return tables | _RECORDS | own


def _where(place: str | Lines, error: FieldError) -> str:
    """Where a wrong value stands; of a file with a word per line, the word's own line."""
    if error.word is None:
        return str(place)
    return place.word(error.word) if isinstance(place, Lines) else f"{place}, word {error.word + 1}"


def _check_file(path: Path, readers: Iterable[str]) -> None:
    if path.suffix not in readers:
        kind = path.suffix or "a file without suffix"
        raise BistilError(f"{path}: cannot read examples from {kind}; readable: {', '.join(readers)}")
    if not path.is_file():
        raise BistilError(f"{path}: no such file; correct the path in the configuration")
    if path.stat().st_size == 0:
        raise BistilError(f"{path}: the file is empty; give a file with examples")


def _column_of(path: Path, form: Format, columns: Columns) -> dict[str, str]:
    """The column of each of the task's fields."""
    fields = form.fields
    if isinstance(columns, list):
        if path.suffix not in _TABLES:
            raise BistilError(
                f"{path}: `columns` is the list {columns}, but only a table without header line ({', '.join(_TABLES)}) "
                "has fields in file order; give a mapping from field to name"
            )
        wrong = [field for field in fields if columns.count(field) != 1]
        if wrong:
            raise BistilError(
                f"{path}: `columns` is {columns}; it must name each of {', '.join(fields)} once "
                f"(any other name stands for a column to pass over), but {', '.join(wrong)} it does not"
            )
        return {field: field for field in fields}
    unknown = sorted(set(columns or {}) - set(fields))
    if unknown:
        raise BistilError(
            f"{path}: `columns` has {', '.join(unknown)}, which the task has not; its fields are {', '.join(fields)}"
        )
    return {field: field for field in fields} | (columns or {})


def _check_columns(path: Path, place: str | Lines, row: dict[str, Any], column_of: dict[str, str]) -> None:
    missing = [column for column in column_of.values() if column not in row]
    if missing:
        found = ", ".join(shown(column) for column in row)
        headerless = (
            f"; if the file has no header line, set columns: [{', '.join(column_of)}] in its order"
            if path.suffix in _TABLES
            else ""
        )
        raise BistilError(
            f"{path}: {place}: no column {', '.join(map(repr, missing))}, found: {found}; "
            f"name the columns with `columns`, as in columns: {{{next(iter(column_of))}: ...}}{headerless}"
        )


def _table(path: Path, cells_by_place: Iterable[tuple[str, list[str]]], header: list[str] | None) -> Iterator[Row]:
    for place, cells in cells_by_place:
        if header is None:
            header = cells
            repeated = sorted({name for name in header if header.count(name) > 1})
            if repeated:
                raise BistilError(f"{path}: {place}: the header line has {', '.join(repeated)} twice; rename one")
            continue
        if len(cells) != len(header):
            raise BistilError(
                f"{path}: {place}: {len(cells)} cells where {len(header)} are expected ({', '.join(header)}); "
                f"the line begins with {shown(cells[0])}"
            )
        yield place, dict(zip(header, cells, strict=True))


def _tsv(path: Path, header: list[str] | None) -> Iterator[Row]:
    lines = ((f"line {number}", line.split("\t")) for number, line in lines_of(path) if line)
    return _table(path, lines, header)


def _csv(path: Path, header: list[str] | None) -> Iterator[Row]:
    return _table(path, _csv_cells(path), header)


def _csv_cells(path: Path) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader((f"{line}\n" for _, line in lines_of(path)), strict=True)
    try:
        for cells in reader:
            if cells:
                yield f"line {reader.line_num}", cells
    except csv.Error as error:
        raise BistilError(
            f"{path}: line {reader.line_num}: {error}; close the quotation marks, and double those inside a cell"
        ) from None


def _json(path: Path, header: None) -> Iterator[Row]:
    text = "\n".join(line for _, line in lines_of(path))
    value = parsed_json(path, "the file", text)
    if isinstance(value, dict):
        places = ((f"entry {key!r}", row) for key, row in value.items())
    elif isinstance(value, list):
        places = ((f"entry {index}", row) for index, row in enumerate(value))
    else:
        raise BistilError(f"{path}: {type(value).__name__} where a list of objects or an object of objects is expected")
    for place, row in places:
        yield place, _checked(path, place, row)


def _json_lines(path: Path, header: None) -> Iterator[Row]:
    for number, line in lines_of(path):
        if line.strip():
            place = f"line {number}"
            yield place, _checked(path, place, parsed_json(path, place, line))


def _checked(path: Path, place: str, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BistilError(f"{path}: {place} is {shown(row)} where an object with the task's fields is expected")
    return row


def _parquet(path: Path, header: None) -> Iterator[Row]:
    with open_parquet(path) as file:
        names = _class_names(file.schema_arrow)
        number = 0
        for batch in file.iter_batches(10_000):
            for row in batch.to_pylist():
                yield f"row {number}", row | {column: _named(row[column], names[column]) for column in names}
                number += 1


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Column -> the names of its classes, where the `datasets` library wrote them as numbers, also in lists."""
    written = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    found = {}
    for column, feature in written.get("info", {}).get("features", {}).items():
        inner = feature.get("feature", feature) if isinstance(feature, dict) else feature
        inner = inner[0] if isinstance(inner, list) else inner
        if column in schema.names and isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
            found[column] = inner["names"]
    return found


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


_TABLES = {".tsv": _tsv, ".csv": _csv}
_RECORDS = {".json": _json, ".jsonl": _json_lines, ".parquet": _parquet}
