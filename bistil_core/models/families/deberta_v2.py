"""DeBERTa-v2 and v3: relative positions shared by all layers, attention of its own (no sdpa)."""

from bistil_core.models.families import Family

FAMILY = Family(
    model_types=("deberta-v2",),
    layers="encoder.layer",
    embeddings="embeddings",
    dropout=("hidden_dropout_prob", "attention_probs_dropout_prob"),
)
