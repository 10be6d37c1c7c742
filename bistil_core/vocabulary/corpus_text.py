"""Reading the text of a prepared corpus."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bistil_core.errors import BistilError


def corpus_texts(path: Path) -> Iterator[str]:
    """The documents of a Parquet file with a string column `text`, a thousand in memory at a time.

    Raises:
        BistilError: there is no such file or column.
    """
    if not path.is_file():
        raise BistilError(f"{path}: there is no such corpus; `prepare_corpus` writes it")
    with pq.ParquetFile(path) as file:
        if "text" not in file.schema_arrow.names or not _is_text(file.schema_arrow.field("text").type):
            raise BistilError(
                f"{path}: its columns are {', '.join(map(str, file.schema_arrow))}; a string column text is needed"
            )
        for batch in file.iter_batches(1000, columns=["text"]):
            yield from batch["text"].to_pylist()


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
