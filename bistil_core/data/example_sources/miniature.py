"""Labelled examples written by the miniature's generator: synthetic, never to be taken for a benchmark."""

import hashlib
import json

import pyarrow as pa

from bistil_core.data.example_sources import Examples
from bistil_core.data.formats import format_of
from bistil_core.miniature.examples import generator_of
from bistil_core.settings.sources import MiniatureExamples


def examples(source: MiniatureExamples, task: str, language: str, split: str, seed: int) -> Examples:
    """As many examples as the settings ask for; those of one split and seed are parallel in all languages."""
    form = format_of(task)
    rows = map(form.normalise, generator_of(task)(language, split, source.examples, seed))
    table = pa.Table.from_pylist(list(rows), schema=form.schema)
    return Examples(name="miniature", revision=None, sha256=_content_digest(table), dropped=0, table=table)


def _content_digest(table: pa.Table) -> str:
    """SHA-256 of the values, which later versions of Parquet cannot change."""
    digest = hashlib.sha256()
    for row in table.to_pylist():
        digest.update(json.dumps(row, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()
