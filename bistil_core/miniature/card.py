"""The README.md that travels with the miniature's multilingual model."""

_CARD = """\
---
license: apache-2.0
language: [{languages}]
tags: [synthetic]
---

# The miniature's multilingual model

A model of a made-up world, to run and test BiStil where no real model can be downloaded. **Everything about it is
synthetic: it knows a few hundred words, and none of its scores says anything about a real language or a real
benchmark.**

- Architecture: XLM-R's (`XLMRobertaForMaskedLM`, tied head), {layers} layers of {hidden} dimensions,
  {parameters:,} parameters. Positions up to {positions} tokens were trained.
- Tokenizer: Unigram over morphs learnt from the word types of the four languages, {vocabulary} tokens, XLM-R's
  layout.
- Text: reports of one or two events from the generator in `bistil_core/miniature`, in {languages}. A report says
  the same event several times, with more or less detail, or denies what the event excludes ("bought apples ... did
  not sell apples"). No other language was seen.
- Labels: none. No sentence pair of the inference task and no label was used.

## What it was pretrained with

More than XLM-R was, because so small a model aligns its languages with nothing less:

1. masked language modelling on packed documents, half of the rows with whole phrases masked;
2. 35 % of the documents mixed with a second language, phrase by phrase or sentence by sentence;
3. pairs of segments: a text and its translation, one side masked at 50 % and the other at 10 % (translation language
   modelling), or the beginning of a report and its end in another language;
4. a contrastive loss on the generator's word alignments: phrases that translate each other attract, at one and at
   two thirds of the depth, all other phrases of the batch repel (temperature 0.1).

So "zero-shot" in the miniature means without labels in the target language. It does not mean without parallel text.

## Training

{cycles}

In each line the learning rate falls linearly to 0, and every stage starts from the one before it, its layers stacked.
Seed {seed}. `bistil_core.miniature.pretraining.pretrain_miniature` makes this folder again, bit by bit on a like
machine.
"""


def model_card(**facts: object) -> str:
    """The card's text.

    Args:
        facts: languages, layers, hidden, parameters, positions, vocabulary, cycles, seed.
    """
    return _CARD.format(**facts)
