"""The 256 tokens <0x00> to <0xFF> that spell a character the vocabulary lacks."""


def byte_token_ids(vocabulary: dict[str, int]) -> set[int]:
    """Ids of the byte tokens that a vocabulary (token -> id) has; the library wants every one it spells with."""
    return {vocabulary[token] for token in map("<0x{:02X}>".format, range(256)) if token in vocabulary}
