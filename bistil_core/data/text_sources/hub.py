"""Text of data sets on the Hugging Face hub, from the folders that the downloads wrote.

Nothing here touches the network.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from bistil_core.data.columns import text_batches
from bistil_core.data.text_sources import Documents
from bistil_core.downloads import dataset_folder, name_of, record_of
from bistil_core.settings.sources import HubText


def documents(source: HubText, language: str, seed: int) -> Documents:
    """The documents of the downloaded files, in order.

    Of more text than `maximum_characters` every document is taken with the probability that leaves about as much,
    decided by a hash of the seed and its text; no more than that many characters are taken.

    Raises:
        BistilError: no finished download, or no string column `text_column`.
    """
    folder = dataset_folder(source, language)
    record = record_of(folder)
    texts = _texts([folder / file["name"] for file in record["files"]], source.text_column)
    if source.maximum_characters is not None:
        texts = _sample(texts, source.maximum_characters, record["characters"], seed)
    return Documents(name=name_of(record), revision=record["commit"], files=record["files"], texts=texts)


def _texts(paths: list[Path], column: str) -> Iterator[str]:
    for path in paths:
        for column_batch in text_batches(path, column):
            yield from (text or "" for text in column_batch.to_pylist())


def _sample(texts: Iterator[str], maximum: int, total: int, seed: int) -> Iterator[str]:
    share = min(1.0, maximum / total) if total else 1.0
    key = str(seed).encode()
    taken = 0
    for text in texts:
        draw = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=key).digest(), "little") / 2**64
        if draw >= share:
            continue
        if taken + len(text) > maximum:
            return
        taken += len(text)
        yield text
