"""What a cut tokenizer promises, at the real size: any text in fifteen scripts."""

import functools
import tempfile
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer
from tests.vocabulary.large_tokenizers import BUILDERS
from tests.vocabulary.small_tokenizers import SCRIPTS, sentences

pytestmark = pytest.mark.slow


def letters_of(script):
    first, number = SCRIPTS[script]
    return st.characters(min_codepoint=first, max_codepoint=first + number - 1)


# Words that the vocabulary was chosen on, unheard-of words of the same letters, and anything at all.
WORDS = st.sampled_from(sorted(SCRIPTS)).flatmap(
    lambda script: (
        st.sampled_from(sorted(set(" ".join(sentences(script)).split())))
        | st.text(letters_of(script), min_size=1, max_size=8)
    )
)
TEXTS = st.lists(WORDS | WORDS | st.text(max_size=6) | st.sampled_from(["<mask>", "[MASK]", "\n", "①"]), max_size=6)


@functools.cache
def cut(name):
    tokenizer = BUILDERS[name]()
    counts = {script: count_tokens(tokenizer, sentences(script)) for script in SCRIPTS}
    kept = kept_token_ids(counts, 1e-3, tokenizer, character_coverage=0.99)
    trimmed = trim_tokenizer(tokenizer, kept)
    with tempfile.TemporaryDirectory() as folder:
        trimmed.save_pretrained(folder)
        loaded = AutoTokenizer.from_pretrained(folder)
    return SimpleNamespace(old=tokenizer, kept=kept, new=trimmed, loaded=loaded)


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_any_text_in_fifteen_scripts(name):
    of_this = cut(name)
    kept = set(of_this.kept.tolist())
    exact = set()

    @given(TEXTS.map(" ".join))
    @settings(max_examples=400, deadline=None)
    def holds(text):
        before, after = of_this.old(text)["input_ids"], of_this.new(text)["input_ids"]
        assert of_this.loaded(text)["input_ids"] == after
        assert all(0 <= index < len(of_this.kept) for index in after)
        # An unknown WordPiece word may hide a removed token that led its match into a dead end.
        hidden = name == "bert" and of_this.old.unk_token_id in before
        if kept.issuperset(before) and not hidden:
            assert of_this.kept[after].tolist() == before
            exact.add(text)

    holds()
    assert len(exact) > 50
    assert len(kept) < len(of_this.old) / 2
    assert of_this.loaded.backend_tokenizer.to_str() == of_this.new.backend_tokenizer.to_str()


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_every_token_that_stays_keeps_its_string_and_its_place_in_the_order(name):
    of_this = cut(name)
    assert of_this.loaded.convert_ids_to_tokens(range(len(of_this.kept))) == of_this.old.convert_ids_to_tokens(
        of_this.kept.tolist()
    )
    assert len(of_this.loaded) == len(of_this.kept)
