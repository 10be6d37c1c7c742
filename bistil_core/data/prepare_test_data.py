"""The labelled examples of one language that a benchmark tests on."""

from pathlib import Path

from bistil_core.data.example_sources import example_source
from bistil_core.data.prepare_training_data import write_examples
from bistil_core.settings.sources import ExampleSource


def prepare_test_data(output: Path, task: str, language: str, source: ExampleSource, seed: int) -> None:
    """Write test.parquet with the columns of the task's format, and provenance.json with the entry `test`.

    Args:
        output: the folder to write.
        task: such as "nli".
        language: code of the language, the source language or a target.
        source: `benchmarks.<benchmark>.test` of the configuration.
        seed: of generated examples.

    Raises:
        BistilError: examples that cannot be read; see `bistil_core.data.examples`.
    """
    examples = example_source(source.kind).examples(source, task, language, "test", seed)
    write_examples(output, {"test": examples})
