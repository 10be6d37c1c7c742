"""BERT: mBERT and its kin."""

from bistil_core.models.families import Family

FAMILY = Family(
    model_types=("bert", "electra"),
    layers="encoder.layer",
    embeddings="embeddings",
    dropout=("hidden_dropout_prob", "attention_probs_dropout_prob"),
)
