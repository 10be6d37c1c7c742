"""The bilingual vocabulary: which tokens stay, and the tokenizer cut to them (BiStil section 3.1)."""

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bistil_core.files import replacing, write_json
from bistil_core.settings.trim import TrimSettings
from bistil_core.threads import limit_threads
from bistil_core.vocabulary.corpus_text import corpus_texts
from bistil_core.vocabulary.counting import kept_token_ids
from bistil_core.vocabulary.sentencepiece_cut import MODEL_FILES, cut_sentencepiece_model
from bistil_core.vocabulary.sentencepiece_model import tokenizer_from
from bistil_core.vocabulary.statistics import tokenizer_statistics
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer

LOGGER = logging.getLogger("bistil")


def trim_bilingual_vocabulary(
    base_model: Path,
    counts: dict[str, Path],
    validation_texts: dict[str, Path],
    output: Path,
    settings: TrimSettings,
    threads: int,
) -> None:
    """Write a folder with the trimmed tokenizer, kept_ids.parquet and statistics.json.

    Where the base model has a SentencePiece model file, the folder gets that too, cut to the same pieces.

    Args:
        base_model: a folder with the tokenizer; its weights are not read.
        counts: language -> file that `count_corpus_tokens` wrote.
        validation_texts: language -> Parquet file with a string column `text`, for the statistics.
        output: the folder. kept_ids.parquet has old_id (int64) and token (string), in the order of the new
            ids; statistics.json the number of tokens, fertility and unknown rate before and after the cut.
        settings: `trim` of the configuration.
        threads: for the tokenizer.

    Raises:
        BistilError: nothing but special tokens reaches the threshold, the counts are of another tokenizer, or
            the tokenizer's algorithm cannot be cut.
    """
    limit_threads(threads)
    tokenizer = tokenizer_from(base_model)
    counts_by_language = {
        language: pq.read_table(path, columns=["count"])["count"].to_numpy() for language, path in counts.items()
    }
    kept = kept_token_ids(counts_by_language, settings.threshold, tokenizer, settings.character_coverage)
    LOGGER.info("%d of %d tokens stay at threshold %g", len(kept), len(tokenizer), settings.threshold)
    trimmed = trim_tokenizer(tokenizer, kept)

    statistics = {
        language: {
            "before": tokenizer_statistics(tokenizer, corpus_texts(path)),
            "after": tokenizer_statistics(trimmed, corpus_texts(path)),
        }
        for language, path in validation_texts.items()
    }
    by_measure = {
        measure: {
            language: {when: values[measure] for when, values in of_language.items()}
            for language, of_language in statistics.items()
        }
        for measure in ("fertility", "unknown_rate")
    }
    tokens = tokenizer.convert_ids_to_tokens(kept.tolist())
    table = pa.table({"old_id": pa.array(kept, pa.int64()), "token": pa.array(tokens, pa.string())})
    with replacing(output) as folder:
        trimmed.save_pretrained(folder)
        for name in MODEL_FILES:
            if (base_model / name).is_file():
                cut_sentencepiece_model(base_model / name, tokens, folder / name)
        pq.write_table(table, folder / "kept_ids.parquet")
        write_json(
            folder / "statistics.json",
            {"kept": len(kept), "of": len(tokenizer), **settings.model_dump(), **by_measure},
        )
