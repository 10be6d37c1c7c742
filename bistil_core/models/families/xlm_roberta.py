"""RoBERTa and XLM-R: position ids start at padding_idx + 1, so a trimmed vocabulary keeps <pad> at 1."""

from bistil_core.models.families import Family

FAMILY = Family(
    model_types=("xlm-roberta", "roberta", "camembert"),
    layers="encoder.layer",
    embeddings="embeddings",
    dropout=("hidden_dropout_prob", "attention_probs_dropout_prob"),
)
