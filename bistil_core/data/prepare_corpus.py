"""One language's unlabelled text: cleaned, without repetitions, split into training and held-out documents."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bistil_core.data.text import clean
from bistil_core.data.text_sources import text_source
from bistil_core.errors import BistilError
from bistil_core.files import replacing, write_json
from bistil_core.settings.corpora import CorpusSettings

LOGGER = logging.getLogger("bistil")

_SCHEMA = pa.schema([("text", pa.string())])
# A row group is written at whichever comes first, so that long articles do not fill the memory.
_GROUP_DOCUMENTS = 20_000
_GROUP_CHARACTERS = 16_000_000


@dataclass
class _Counts:
    """What became of the documents."""

    read: int = 0
    empty: int = 0
    short: int = 0
    duplicates: int = 0
    kept: int = 0


@dataclass
class _Split:
    """One Parquet file being written, a row group at a time."""

    path: Path
    documents: int = 0
    characters: int = 0
    _waiting: list[str] = field(default_factory=list)
    _waiting_characters: int = 0

    def __enter__(self) -> "_Split":
        self._writer = pq.ParquetWriter(self.path, _SCHEMA, compression="zstd")
        return self

    def __exit__(self, *error: object) -> None:
        self._flush()
        self._writer.close()

    def add(self, text: str) -> None:
        self.documents += 1
        self.characters += len(text)
        self._waiting.append(text)
        self._waiting_characters += len(text)
        if len(self._waiting) == _GROUP_DOCUMENTS or self._waiting_characters >= _GROUP_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.table({"text": self._waiting}, schema=_SCHEMA))
        self._waiting, self._waiting_characters = [], 0


def prepare_corpus(output: Path, language: str, settings: CorpusSettings, seed: int) -> None:
    """Read or generate one language's text and write it as train.parquet and validation.parquet.

    Each file has one string column `text`, a cleaned document a row (see `bistil_core.data.text.clean`), in the
    order of the source. Of documents that are equal after cleaning the first is kept. A document is held out by
    a hash of the seed and its text: adding text to the corpus moves no document to the other file. Memory grows
    by about 100 bytes a document.

    Args:
        output: the folder to write, with provenance.json beside the two files.
        language: code of the language.
        settings: `corpora.<language>` of the configuration.
        seed: of the held-out sample, and of generated text.

    Raises:
        BistilError: text that cannot be read (see `bistil_core.data.text`), or too little for both files.
    """
    source = text_source(settings.source.kind).documents(settings.source, language, seed)
    counts = _Counts()
    digest = hashlib.sha256()
    with replacing(output) as folder:
        folder.mkdir()
        with _Split(folder / "train.parquet") as train, _Split(folder / "validation.parquet") as validation:
            kept = _deduplicated(_long_enough(source.texts, settings.minimum_characters, counts), counts, seed)
            for text, draw in kept:
                digest.update(text.encode() + b"\n")
                (validation if draw < settings.validation_fraction else train).add(text)
        if not train.documents or not validation.documents:
            raise BistilError(
                f"corpora.{language}: {counts.read} documents read, {counts.kept} kept: {train.documents} to train "
                f"on and {validation.documents} held out, and at least one of each is needed; give more text, or "
                f"change validation_fraction ({settings.validation_fraction}) or minimum_characters "
                f"({settings.minimum_characters})"
            )
        write_json(
            folder / "provenance.json",
            {
                "name": source.name,
                "revision": source.revision,
                "kind": settings.source.kind,
                "sha256": digest.hexdigest(),
                "files": source.files,
                "documents": asdict(counts),
                "train": {"documents": train.documents, "characters": train.characters},
                "validation": {"documents": validation.documents, "characters": validation.characters},
                "validation_fraction": settings.validation_fraction,
                "minimum_characters": settings.minimum_characters,
                "seed": seed,
            },
        )
    LOGGER.info(
        "%s: %d documents read, %d kept (%d empty, %d short, %d repeated), %d of them held out",
        language,
        counts.read,
        counts.kept,
        counts.empty,
        counts.short,
        counts.duplicates,
        validation.documents,
    )


def _long_enough(texts: Iterable[str], minimum_characters: int, counts: _Counts) -> Iterator[str]:
    for raw in texts:
        counts.read += 1
        text = clean(raw)
        if not text:
            counts.empty += 1
        elif len(text) < minimum_characters:
            counts.short += 1
        else:
            yield text


def _deduplicated(texts: Iterable[str], counts: _Counts, seed: int) -> Iterator[tuple[str, float]]:
    """First occurrences by a 128-bit hash, each with a number in [0, 1) that its text and the seed determine."""
    key = str(seed).encode()
    seen: set[bytes] = set()
    for text in texts:
        fingerprint = hashlib.blake2b(text.encode(), digest_size=16, key=key).digest()
        if fingerprint in seen:
            counts.duplicates += 1
            continue
        seen.add(fingerprint)
        counts.kept += 1
        # 53 bits: all that a float holds, so that the number never rounds up to 1.
        yield text, (int.from_bytes(fingerprint[:8], "little") >> 11) / 2**53
