"""Labelled examples of data sets on the Hugging Face hub, from the folders that the downloads wrote.

Nothing here touches the network.
"""

import hashlib
from collections import Counter

import pyarrow as pa

from bistil_core.data.example_sources import Examples
from bistil_core.data.examples import read_examples
from bistil_core.data.formats import format_of
from bistil_core.downloads import dataset_folder, name_of, record_of
from bistil_core.settings.sources import HubExamples


def examples(source: HubExamples, task: str, language: str, split: str, seed: int) -> Examples:
    """The examples of the downloaded files, in order.

    Raises:
        BistilError: no finished download, or files that hold no examples of the task; see
            `bistil_core.data.examples`.
    """
    folder = dataset_folder(source, language)
    record = record_of(folder)
    changed: Counter[str] = Counter()
    form = format_of(task)
    parts = [read_examples(folder / file["name"], form, source.columns, changed) for file in record["files"]]
    return Examples(
        name=name_of(record),
        revision=record["commit"],
        sha256=_digest([file["sha256"] for file in record["files"]]),
        dropped=sum(dropped for _, dropped in parts),
        table=pa.concat_tables(table for table, _ in parts),
        changed=dict(changed),
    )


def _digest(sums: list[str]) -> str:
    """The file's own SHA-256; of several files that of their SHA-256 sums, one a line."""
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(f"{each}\n" for each in sums).encode()).hexdigest()
