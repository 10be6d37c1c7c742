"""EuroBERT: a Llama that looks both ways (RMSNorm, rotary positions, no biases); it has no question-answering head."""

from bistil_core.models.families import Family

FAMILY = Family(model_types=("eurobert",), layers="layers", embeddings="embed_tokens", dropout=("attention_dropout",))
