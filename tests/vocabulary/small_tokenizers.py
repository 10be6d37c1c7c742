"""Small tokenizers of every algorithm, trained on made-up words in a dozen scripts."""

import functools
import json
import random

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertTokenizer,
    DebertaV2Tokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    XLMRobertaTokenizer,
)

# First letter and number of letters taken from there on.
SCRIPTS = {
    "latin": (0x61, 26),
    "greek": (0x3B1, 24),
    "cyrillic": (0x430, 32),
    "armenian": (0x561, 38),
    "hebrew": (0x5D0, 27),
    "arabic": (0x641, 10),
    "devanagari": (0x915, 37),
    "bengali": (0x995, 20),
    "tamil": (0xBAE, 12),
    "thai": (0xE01, 46),
    "georgian": (0x10D0, 33),
    "ethiopic": (0x1208, 50),
    "hangul": (0xAC00, 80),
    "han": (0x4E00, 120),
    "kana": (0x3042, 60),
}


@functools.cache
def sentences(script: str, number: int = 150) -> tuple[str, ...]:
    """Sentences of words drawn from a Zipf-like lexicon in one script."""
    generator = random.Random(script)
    first, letters = SCRIPTS[script]
    lexicon = [
        "".join(chr(first + int(letters * generator.random() ** 2)) for _ in range(generator.randint(1, 7)))
        for _ in range(120)
    ]
    return tuple(
        " ".join(lexicon[int(120 * generator.random() ** 3)] for _ in range(generator.randint(3, 12))) + "."
        for _ in range(number)
    )


def all_sentences() -> list[str]:
    return [sentence for script in SCRIPTS for sentence in sentences(script)]


def _trained(backend: Tokenizer, trainer) -> Tokenizer:
    backend.train_from_iterator(all_sentences(), trainer)
    return backend


def _definition(backend: Tokenizer) -> dict:
    return json.loads(backend.to_str())


@functools.cache
def _pieces() -> list[tuple[str, float]]:
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    _trained(backend, trainers.UnigramTrainer(vocab_size=1500, unk_token="<unk>", show_progress=False))
    return [(piece, score) for piece, score in _definition(backend)["model"]["vocab"] if piece != "<unk>"]


def unigram_xlm_roberta() -> PreTrainedTokenizerBase:
    first = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]
    return XLMRobertaTokenizer(
        vocab=[*first, *_pieces(), ("<mask>", 0.0)], mask_token=AddedToken("<mask>", lstrip=True, special=True)
    )


def unigram_deberta() -> PreTrainedTokenizerBase:
    """As mDeBERTa's: special tokens in front, [MASK] no piece but added behind the last one."""
    first = [(token, 0.0) for token in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")]
    return DebertaV2Tokenizer(vocab=[*first, *_pieces()])


def unigram_with_bytes() -> PreTrainedTokenizerBase:
    """A Unigram tokenizer of no model's class, that spells unknown characters as bytes."""
    first = [(token, 0.0) for token in ("<pad>", "<unk>", "<s>", "</s>")]
    in_bytes = [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    backend = Tokenizer(models.Unigram([*first, *in_bytes, *_pieces()], unk_id=1, byte_fallback=True))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def wordpiece_bert() -> PreTrainedTokenizerBase:
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    # As in mBERT, the special tokens are not all in front.
    unused = [f"[unused{number}]" for number in range(1, 20)]
    special = ["[PAD]", *unused, "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    _trained(backend, trainers.WordPieceTrainer(vocab_size=1800, special_tokens=special, show_progress=False))
    return BertTokenizer(vocab=backend.get_vocab(), do_lower_case=False)


def bpe_roberta() -> PreTrainedTokenizerBase:
    """Byte-level, with the special tokens in front and <mask> at the end."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    _trained(
        backend,
        trainers.BpeTrainer(
            vocab_size=2000,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    model = _definition(backend)["model"]
    vocabulary = {**model["vocab"], "<mask>": len(model["vocab"])}
    return RobertaTokenizer(vocab=vocabulary, merges=[tuple(merge) for merge in model["merges"]])


def bpe_with_bytes() -> PreTrainedTokenizerBase:
    """As mmBERT's: white space is a letter, unknown characters become bytes, and a piece of text is added."""
    backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    in_bytes = [f"<0x{byte:02X}>" for byte in range(256)]
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    _trained(backend, trainers.BpeTrainer(vocab_size=2400, special_tokens=[*special, *in_bytes], show_progress=False))
    definition = _definition(backend)
    definition["added_tokens"] = definition["added_tokens"][: len(special)]
    backend = Tokenizer.from_str(json.dumps(definition))
    backend.add_tokens([AddedToken("\n\n", normalized=False)])
    backend.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", special_tokens=[("<bos>", 2), ("<eos>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def bpe_of_letters() -> PreTrainedTokenizerBase:
    """No unknown token and no bytes: a letter without a token would be lost."""
    backend = Tokenizer(models.BPE(continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    _trained(
        backend,
        trainers.BpeTrainer(
            vocab_size=2400,
            special_tokens=["<pad>", "<mask>"],
            continuing_subword_prefix="##",
            end_of_word_suffix="</w>",
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", mask_token="<mask>")


def bpe_with_unknown() -> PreTrainedTokenizerBase:
    """No bytes: a letter without a token is unknown. The last letter of a word has a token of its own."""
    backend = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=2400, special_tokens=["<pad>", "<unk>"], end_of_word_suffix="</w>", show_progress=False
    )
    _trained(backend, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>")


BUILDERS = {
    builder.__name__: functools.cache(builder)
    for builder in (
        unigram_xlm_roberta,
        unigram_deberta,
        unigram_with_bytes,
        wordpiece_bert,
        bpe_roberta,
        bpe_with_bytes,
        bpe_of_letters,
        bpe_with_unknown,
    )
}
