"""How often each token of a base model occurs in a corpus (BiStil section 3.1)."""

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bistil_core.files import replacing
from bistil_core.threads import limit_threads
from bistil_core.vocabulary.corpus_text import corpus_texts
from bistil_core.vocabulary.counting import count_tokens
from bistil_core.vocabulary.sentencepiece_model import tokenizer_from

LOGGER = logging.getLogger("bistil")


def count_corpus_tokens(base_model: Path, corpus: Path, output: Path, threads: int) -> None:
    """Write token_id (int64), token (string), count (int64) for every id of the base model's tokenizer.

    Args:
        base_model: a folder with the tokenizer.
        corpus: Parquet file with a string column `text`.
        output: Parquet file, in the order of the ids; an id that is no token has a null token.
        threads: for the tokenizer.

    Raises:
        BistilError: no tokenizer in the folder, or no column `text` in the corpus.
    """
    limit_threads(threads)
    tokenizer = tokenizer_from(base_model)
    counts = count_tokens(tokenizer, corpus_texts(corpus))
    LOGGER.info("%s: %d tokens, %d different ones", corpus, counts.sum(), (counts > 0).sum())
    ids = list(range(len(counts)))
    table = pa.table(
        {
            "token_id": pa.array(ids, pa.int64()),
            "token": pa.array(tokenizer.convert_ids_to_tokens(ids), pa.string()),
            "count": pa.array(counts, pa.int64()),
        }
    )
    with replacing(output) as partial:
        pq.write_table(table, partial)
