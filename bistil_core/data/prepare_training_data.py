"""The labelled examples of the source language that teacher and student learn a task from."""

import logging
from pathlib import Path

import pyarrow.parquet as pq

from bistil_core.data.example_sources import Examples, example_source
from bistil_core.files import replacing, write_json
from bistil_core.settings.sources import ExampleSource

LOGGER = logging.getLogger("bistil")


def prepare_training_data(
    output: Path, task: str, language: str, train: ExampleSource, validation: ExampleSource, seed: int
) -> None:
    """Write train.parquet and validation.parquet with the columns of the task's format, and provenance.json.

    Args:
        output: the folder to write.
        task: such as "nli".
        language: code of the source language.
        train: `teacher.<task>.train` of the configuration.
        validation: `teacher.<task>.validation`.
        seed: of generated examples.

    Raises:
        BistilError: examples that cannot be read; see `bistil_core.data.examples`.
    """
    write_examples(
        output,
        {
            split: example_source(source.kind).examples(source, task, language, split, seed)
            for split, source in (("train", train), ("validation", validation))
        },
    )


def write_examples(output: Path, splits: dict[str, Examples]) -> None:
    """A folder with a Parquet file per split, and provenance.json with an entry per split."""
    with replacing(output) as folder:
        folder.mkdir()
        for split, examples in splits.items():
            pq.write_table(examples.table, folder / f"{split}.parquet", compression="zstd")
            LOGGER.info(
                "%s: %d examples from %s, %d left out",
                split,
                examples.table.num_rows,
                examples.name,
                examples.dropped,
            )
        write_json(folder / "provenance.json", {split: examples.provenance() for split, examples in splits.items()})
