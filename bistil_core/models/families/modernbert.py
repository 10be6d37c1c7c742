"""ModernBERT and mmBERT: rotary positions, every third layer attends to all tokens and the others to near ones.

A student keeps the kind of attention that each of its layers had in the teacher (`layer_types`). The first layer of a
ModernBERT has no attention norm, for the embeddings are normed already; so that of the copied layer has no place in a
student's first layer.
"""

from bistil_core.models.families import Family

FAMILY = Family(
    model_types=("modernbert",),
    layers="layers",
    embeddings="embeddings",
    dropout=("attention_dropout", "embedding_dropout", "mlp_dropout"),
)
