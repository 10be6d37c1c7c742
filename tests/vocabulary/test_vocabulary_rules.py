"""The two rule functions, from files to files."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sentencepiece
from transformers import AutoTokenizer

from bistil_core.errors import BistilError
from bistil_core.settings.trim import TrimSettings
from bistil_core.vocabulary.count_corpus_tokens import count_corpus_tokens
from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.sentencepiece_model import tokenizer_from
from bistil_core.vocabulary.statistics import tokenizer_statistics
from bistil_core.vocabulary.trim_bilingual_vocabulary import trim_bilingual_vocabulary
from tests.vocabulary.sentencepiece_files import train
from tests.vocabulary.small_tokenizers import BUILDERS, sentences
from tests.word_tokenizer import word_tokenizer

LANGUAGES = {"en": "latin", "sw": "ethiopic"}


def write_corpus(path, texts):
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), path)
    return path


@pytest.fixture(params=["unigram_deberta", "wordpiece_bert", "bpe_with_bytes"])
def inputs(request, tmp_path):
    tokenizer = BUILDERS[request.param]()
    tokenizer.save_pretrained(tmp_path / "base")
    counts, held_out = {}, {}
    for language, script in LANGUAGES.items():
        corpus = write_corpus(tmp_path / f"{language}.parquet", sentences(script)[:100])
        held_out[language] = write_corpus(tmp_path / f"{language}_held_out.parquet", sentences(script)[100:])
        counts[language] = tmp_path / "counts" / f"{language}.parquet"
        count_corpus_tokens(tmp_path / "base", corpus, counts[language], threads=1)
    return tokenizer, {"base_model": tmp_path / "base", "counts": counts, "validation_texts": held_out, "threads": 1}


def test_counts_file_has_a_line_for_every_id(inputs):
    tokenizer, arguments = inputs
    for language, script in LANGUAGES.items():
        table = pq.read_table(arguments["counts"][language])
        assert table.schema.types == [pa.int64(), pa.string(), pa.int64()]
        assert table["token_id"].to_pylist() == list(range(len(table)))
        assert table["token"].to_pylist() == tokenizer.convert_ids_to_tokens(range(len(table)))
        assert np.array_equal(table["count"], count_tokens(tokenizer, sentences(script)[:100]))


def test_vocabulary_folder(inputs, tmp_path):
    tokenizer, arguments = inputs
    trim_bilingual_vocabulary(output=tmp_path / "cut", settings=TrimSettings(threshold=1e-3), **arguments)
    trimmed = AutoTokenizer.from_pretrained(tmp_path / "cut")
    kept = pq.read_table(tmp_path / "cut" / "kept_ids.parquet")
    assert kept.schema.names == ["old_id", "token"]
    expected = kept_token_ids(
        {language: count_tokens(tokenizer, sentences(script)[:100]) for language, script in LANGUAGES.items()},
        1e-3,
        tokenizer,
    )
    assert np.array_equal(kept["old_id"], expected)
    assert kept["token"].to_pylist() == trimmed.convert_ids_to_tokens(range(len(trimmed)))

    statistics = json.loads((tmp_path / "cut" / "statistics.json").read_text())
    assert statistics["kept"] == len(trimmed) < statistics["of"] == len(tokenizer)
    assert statistics["threshold"] == 1e-3
    for language, script in LANGUAGES.items():
        for when, judged in (("before", tokenizer), ("after", trimmed)):
            by_hand = tokenizer_statistics(judged, sentences(script)[100:])
            assert statistics["fertility"][language][when] == by_hand["fertility"]
            assert statistics["unknown_rate"][language][when] == by_hand["unknown_rate"]


def test_same_inputs_same_bytes(inputs, tmp_path):
    _, arguments = inputs
    for name in ("one", "two"):
        trim_bilingual_vocabulary(output=tmp_path / name, settings=TrimSettings(threshold=1e-3), **arguments)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"tokenizer.json", "tokenizer_config.json", "kept_ids.parquet", "statistics.json"} <= set(files)
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
        assert str(tmp_path).encode() not in (tmp_path / "one" / file).read_bytes()


def test_letters_of_the_corpora_stay_where_coverage_is_asked_for(inputs, tmp_path):
    tokenizer, arguments = inputs
    kept = {}
    for coverage in (None, 1.0):
        chosen = TrimSettings(threshold=1e-2, character_coverage=coverage)
        trim_bilingual_vocabulary(output=tmp_path / "cut", settings=chosen, **arguments)
        statistics = json.loads((tmp_path / "cut" / "statistics.json").read_text())
        assert statistics["character_coverage"] == coverage
        kept[coverage] = set(pq.read_table(tmp_path / "cut" / "kept_ids.parquet")["token"].to_pylist())
    letters = {letter for script in LANGUAGES.values() for letter in "".join(sentences(script)[:100])}
    assert kept[None] < kept[1.0]
    assert letters & set(tokenizer.get_vocab()) <= kept[1.0]


def test_the_sentencepiece_file_is_cut_with_the_rest(tmp_path):
    base = tmp_path / "base"
    tokenizer_from(train(tmp_path / "sentencepiece.bpe.model", vocab_size=1400)).save_pretrained(base)
    shutil.copy(tmp_path / "sentencepiece.bpe.model", base)
    corpus, counts = write_corpus(tmp_path / "corpus.parquet", sentences("latin")), tmp_path / "counts.parquet"
    count_corpus_tokens(base, corpus, counts, 1)
    trim_bilingual_vocabulary(base, {"en": counts}, {"en": corpus}, tmp_path / "cut", TrimSettings(), threads=1)
    trimmed = AutoTokenizer.from_pretrained(tmp_path / "cut")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "cut" / "sentencepiece.bpe.model"))
    assert processor.get_piece_size() == len(trimmed) - 2 < 1000
    assert [processor.id_to_piece(index - 1) for index in range(4, 60)] == trimmed.convert_ids_to_tokens(range(4, 60))


def test_nothing_is_left_behind_where_the_threshold_keeps_nothing(inputs, tmp_path):
    _, arguments = inputs
    with pytest.raises(BistilError, match=r"trim\.threshold"):
        trim_bilingual_vocabulary(output=tmp_path / "cut", settings=TrimSettings(threshold=0.9), **arguments)
    assert not (tmp_path / "cut").exists()


def test_a_corpus_without_text_is_refused(tmp_path):
    word_tokenizer().save_pretrained(tmp_path / "base")
    pq.write_table(pa.table({"sentence": ["a"], "text": [1]}), tmp_path / "corpus.parquet")
    with pytest.raises(BistilError, match=r"corpus\.parquet: its columns are .*sentence"):
        count_corpus_tokens(tmp_path / "base", tmp_path / "corpus.parquet", tmp_path / "counts.parquet", 1)
    with pytest.raises(BistilError, match="no such corpus"):
        count_corpus_tokens(tmp_path / "base", tmp_path / "none.parquet", tmp_path / "counts.parquet", 1)
    assert not (tmp_path / "counts.parquet").exists()


def test_an_algorithm_that_cannot_be_cut_is_named(tmp_path):
    word_tokenizer().save_pretrained(tmp_path / "base")
    corpus = write_corpus(tmp_path / "corpus.parquet", ["w1 w2"])
    count_corpus_tokens(tmp_path / "base", corpus, tmp_path / "counts.parquet", 1)
    with pytest.raises(BistilError, match="WordLevel"):
        trim_bilingual_vocabulary(
            tmp_path / "base",
            {"en": tmp_path / "counts.parquet"},
            {"en": corpus},
            tmp_path / "cut",
            TrimSettings(),
            threads=1,
        )
