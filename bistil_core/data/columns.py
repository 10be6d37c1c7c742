"""One column of text of a Parquet file, a batch at a time."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from bistil_core.data.text import open_parquet
from bistil_core.errors import BistilError

_ROWS = 1000


def text_batches(path: Path, column: str) -> Iterator[pa.Array]:
    """The column's values, about a thousand rows at a time, in order.

    Raises:
        BistilError: no Parquet file, or there is no such column of text in it.
    """
    with open_parquet(path) as file:
        kinds = {field.name: field.type for field in file.schema_arrow}
        if column not in kinds or not (pa.types.is_string(kinds[column]) or pa.types.is_large_string(kinds[column])):
            found = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
            raise BistilError(f"{path}: no string column {column!r} (`text_column`), found: {found}")
        yield from (batch[column] for batch in file.iter_batches(_ROWS, columns=[column]))
