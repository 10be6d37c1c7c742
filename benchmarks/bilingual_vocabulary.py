"""What cutting a tokenizer to two languages keeps, and what it takes, from text files to the trimmed folder.

    python benchmarks/bilingual_vocabulary.py TOKENIZER en.txt sw.txt [--character-coverage 0.9999]

TOKENIZER is a folder that save_pretrained wrote, or XLM-R's SentencePiece file; a text file is named after its
language. A twentieth of the documents is held out by `prepare_corpus`; fertility (tokens per word) and the rate of
unknown tokens are measured on it. Seconds are by the clock, memory is the peak of the whole process. Then the ids of
every document before the cut are held against those after it.
"""

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, tee
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bistil_core.data.prepare_corpus import prepare_corpus
from bistil_core.files import read_json
from bistil_core.settings.corpora import CorpusSettings
from bistil_core.settings.sources import TextFiles
from bistil_core.settings.trim import TrimSettings
from bistil_core.threads import usable_cpus
from bistil_core.vocabulary.corpus_text import corpus_texts
from bistil_core.vocabulary.count_corpus_tokens import count_corpus_tokens
from bistil_core.vocabulary.sentencepiece_model import XLM_ROBERTA_FILE, tokenizer_from
from bistil_core.vocabulary.tokenised_text import tokenised_in_batches
from bistil_core.vocabulary.trim_bilingual_vocabulary import trim_bilingual_vocabulary


@contextmanager
def timed(name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{name:30} {time.perf_counter() - start:6.1f} s", flush=True)


def base_folder(tokenizer: Path, folder: Path) -> Path:
    """The tokenizer as a base model's folder, with XLM-R's file under the name that it has on the hub."""
    if tokenizer.is_dir():
        return tokenizer
    tokenizer_from(tokenizer).save_pretrained(folder)
    shutil.copyfile(tokenizer, folder / XLM_ROBERTA_FILE)
    return folder


def compared(base: Path, cut: Path, texts: Iterator[str]) -> tuple[int, int, int]:
    """Numbers of documents: all, those that use no removed token, and of these the ones with the same tokens."""
    old, new = tokenizer_from(base), tokenizer_from(cut)
    kept = pq.read_table(cut / "kept_ids.parquet")["old_id"].to_numpy()
    stays = set(kept.tolist())
    documents = untouched = same = 0
    first, second = tee(texts)
    for before, after in zip(tokenised_in_batches(old, first), tokenised_in_batches(new, second), strict=True):
        for old_ids, new_ids in zip(before, after, strict=True):
            old_ids = old_ids.values.to_numpy()
            documents += 1
            if stays.issuperset(old_ids.tolist()):
                untouched += 1
                same += np.array_equal(kept[new_ids.values.to_numpy()], old_ids)
    return documents, untouched, same


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--threshold", type=float, default=1e-6)
    parser.add_argument("--character-coverage", type=float)
    arguments = parser.parse_args()
    settings = TrimSettings(threshold=arguments.threshold, character_coverage=arguments.character_coverage)

    with tempfile.TemporaryDirectory() as temporary:
        folder, threads = Path(temporary), usable_cpus()
        base = base_folder(arguments.tokenizer, folder / "base")
        corpora, counts = {}, {}
        for path in arguments.texts:
            language = path.stem
            corpora[language] = folder / "corpora" / language
            source = CorpusSettings(source=TextFiles(kind="files", paths=[str(path)]))
            with timed(f"prepare_corpus {language}"):
                prepare_corpus(corpora[language], language, source, seed=1)
        start = time.perf_counter()
        for language, corpus in corpora.items():
            counts[language] = folder / f"{language}.parquet"
            with timed(f"count_corpus_tokens {language}"):
                count_corpus_tokens(base, corpus / "train.parquet", counts[language], threads)
        held_out = {language: corpus / "validation.parquet" for language, corpus in corpora.items()}
        with timed("trim_bilingual_vocabulary"):
            trim_bilingual_vocabulary(base, counts, held_out, folder / "cut", settings, threads)
        whole = time.perf_counter() - start
        statistics = read_json(folder / "cut" / "statistics.json")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        exact = {
            language: compared(base, folder / "cut", chain(*map(corpus_texts, sorted(corpus.glob("*.parquet")))))
            for language, corpus in corpora.items()
        }

    print(f"counting and cutting           {whole:6.1f} s, {threads} threads, peak {peak:.2f} GB")
    print(f"kept {statistics['kept']:,} of {statistics['of']:,} tokens at {settings.threshold:g}")
    for language in corpora:
        fertility, unknown = statistics["fertility"][language], statistics["unknown_rate"][language]
        print(
            f"{language}: {fertility['before']:.3f} -> {fertility['after']:.3f} tokens per word, unknown "
            f"{unknown['before']:.4%} -> {unknown['after']:.4%}"
        )
        documents, untouched, same = exact[language]
        print(f"    {documents:,} documents, {untouched:,} without a removed token, {same:,} of them exactly as before")


if __name__ == "__main__":
    main()
