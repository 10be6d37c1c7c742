import math

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from bistil_core.files import sha256_of
from bistil_core.miniature.pretraining import Cycle, alignment_loss, pretrain_miniature
from bistil_core.miniature.pretraining_batches import ROW_LENGTH, ROWS, Batches
from bistil_core.models.model_files import MINIATURE


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MINIATURE)


def test_alignment_loss_of_known_states():
    """Two slots with orthogonal states, each the same on both sides: log(1 + exp(-1 / T))."""
    hidden = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 4.0]]])
    spans = torch.tensor([[[0, -1], [1, -1]], [[2, -1], [3, -1]]])
    loss = alignment_loss(hidden, spans, torch.tensor([7, 8]))
    assert loss.item() == pytest.approx(math.log1p(math.exp(-10.0)), abs=1e-6)
    crossed = torch.stack([spans[0], spans[1].flip(0)])
    loss = alignment_loss(hidden, crossed, torch.tensor([7, 8]))
    assert loss.item() == pytest.approx(10.0 + math.log1p(math.exp(-10.0)), abs=1e-4)


def test_slots_of_equal_meaning_are_no_negatives():
    hidden = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]])
    spans = torch.tensor([[[0], [1]], [[2], [3]]])
    assert alignment_loss(hidden, spans, torch.tensor([7, 8])).item() == pytest.approx(math.log(2.0))
    assert alignment_loss(hidden, spans, torch.tensor([7, 7])).item() == pytest.approx(0.0)


def test_spans_are_translations_of_each_other(tokenizer):
    batch = Batches(tokenizer, seed=0).documents()
    assert batch.input_ids.shape == (ROWS, ROW_LENGTH)
    original = torch.where(batch.labels >= 0, batch.labels, batch.input_ids).flatten()
    names = {"Ali", "Amina", "Daniel", "Elena", "Hassan", "Kemal", "Maria", "Omar", "Rosa", "Sara"}
    found = 0
    for first, second in batch.spans.transpose(0, 1):
        said = [tokenizer.decode(original[span[span >= 0]]) for span in (first, second)]
        if names & set(said):
            assert said[0] == said[1]
            found += 1
    assert found > 20


def test_masking_rates(tokenizer):
    batches = Batches(tokenizer, seed=0)
    chosen = sum((batches.documents().labels >= 0).float().mean() for _ in range(20)) / 20
    assert 0.11 < chosen < 0.16
    pairs = batches.pairs()
    assert ((pairs.labels >= 0) <= (pairs.attention_mask == 1)).all()


def test_a_seed_gives_the_same_bytes_and_loads(tmp_path):
    cycles = (Cycle(((1, 2), (2, 2)), 1e-3, 0.5), Cycle(((2, 2),), 1e-3, 1.0))
    for name in ("one", "two"):
        pretrain_miniature(tmp_path / name, seed=3, threads=1, cycles=cycles)
    for file in ("model.safetensors", "tokenizer.json", "config.json", "README.md"):
        assert sha256_of(tmp_path / "one" / file) == sha256_of(tmp_path / "two" / file)
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "one")
    assert model.lm_head.decoder.weight is model.roberta.embeddings.word_embeddings.weight
    assert AutoTokenizer.from_pretrained(tmp_path / "one").mask_token_id == model.config.vocab_size - 1


def test_the_shipped_model_is_small_and_knows_its_languages(tokenizer):
    assert sum(file.stat().st_size for file in MINIATURE.iterdir()) < 8_000_000
    assert "synthetic" in (MINIATURE / "README.md").read_text(encoding="utf-8")
    assert AutoModelForMaskedLM.from_pretrained(MINIATURE).config.vocab_size == len(tokenizer)


@pytest.mark.parametrize(
    ("english", "masked", "word"),
    [
        ("yesterday Ali bought three big apples.", "<mask> Ali alinunua matofaa makubwa matatu.", "jana"),
        ("now Sara pushes six old boxes at home.", "ahora Sara empuja <mask> cajas viejas en casa.", "seis"),
        ("tomorrow Omar will hide one knife.", "<mask> Omar bir bıçak saklayacak.", "yarın"),
        ("the doctor sold six bottles.", "<mask> altı şişe sattı.", "doktor"),
    ],
)
def test_the_shipped_model_translates(tokenizer, english: str, masked: str, word: str):
    model = AutoModelForMaskedLM.from_pretrained(MINIATURE)
    inputs = tokenizer(english, masked, return_tensors="pt")
    place = (inputs.input_ids[0] == tokenizer.mask_token_id).nonzero().item()
    with torch.no_grad():
        best = model(**inputs).logits[0, place].argmax()
    assert tokenizer.decode(best).strip() == word
