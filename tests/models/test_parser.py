import pytest
import torch
from torch.nn import functional
from transformers import AutoModel, BertConfig, DebertaV2Config, ModernBertConfig, XLMRobertaConfig, set_seed

from bistil_core.models.parser import IMPOSSIBLE, at_heads, load_parser, word_means

SIZE = {
    "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 40, "pad_token_id": 1,
}  # fmt: skip
CONFIGURATIONS = {
    "bert": BertConfig(**SIZE),
    "xlm-roberta": XLMRobertaConfig(**SIZE),
    "deberta-v2": DebertaV2Config(
        **SIZE, relative_attention=True, position_buckets=8, pos_att_type=["p2c", "c2p"], share_att_key=True,
        norm_rel_ebd="layer_norm", position_biased_input=False, type_vocab_size=0,
    ),
    "modernbert": ModernBertConfig(**SIZE, cls_token_id=0, sep_token_id=2, bos_token_id=0, eos_token_id=2),
}  # fmt: skip
RELATIONS = ("nsubj", "obj", "root")


@pytest.fixture(params=CONFIGURATIONS)
def folder(request, tmp_path):
    set_seed(0)
    AutoModel.from_config(CONFIGURATIONS[request.param]).save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


def randomised(parser):
    with torch.no_grad():
        for parameter in parser.parser.parameters():
            parameter.normal_()
    return parser.eval()


def batch():
    """Two sentences: three words of 1, 2 and 1 sub-words; one word."""
    return {
        "input_ids": torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 2, 1, 1, 1]]),
        "attention_mask": torch.tensor([[1] * 6, [1, 1, 1, 0, 0, 0]]),
        "word_of_token": torch.tensor([[-1, 0, 1, 1, 2, -1], [-1, 0, -1, -1, -1, -1]]),
    }


def test_a_parser_grows_on_an_encoder_of_any_family_and_comes_back_from_its_folder(folder, tmp_path):
    encoder = AutoModel.from_pretrained(folder).eval()
    parser = load_parser(folder, RELATIONS, attn_implementation="eager")
    assert all(not value.any() for value in parser.parser.parameters())
    states = parser.eval()(**batch(), output_hidden_states=True, output_attentions=True)
    inputs = {name: value for name, value in batch().items() if name != "word_of_token"}
    torch.testing.assert_close(states.hidden_states[-1][0], encoder(**inputs).last_hidden_state[0])
    assert len(states.attentions) == 2
    before = randomised(parser)(**batch())
    parser.save_pretrained(tmp_path / "parser")
    again = load_parser(tmp_path / "parser", RELATIONS)
    assert again.config.id2label == dict(enumerate(RELATIONS))
    after = again.eval()(**batch())
    torch.testing.assert_close(after.arc_logits, before.arc_logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(after.relation_logits, before.relation_logits, rtol=1e-4, atol=1e-4)


@pytest.fixture
def parser(tmp_path):
    set_seed(0)
    AutoModel.from_config(CONFIGURATIONS["bert"]).save_pretrained(tmp_path / "encoder")
    return randomised(load_parser(tmp_path / "encoder", RELATIONS, attn_implementation="eager"))


def test_scores_are_the_bilinear_forms_of_word_means_and_the_first_token(parser):
    outputs = parser(**batch(), output_hidden_states=True)
    hidden, head = outputs.hidden_states[-1][0], parser.parser
    words = torch.stack([hidden[1], (hidden[2] + hidden[3]) / 2, hidden[4]])
    heads = torch.cat([hidden[:1], words])
    for dependent in range(3):
        for other in range(4):
            arc = words[dependent] @ head.arc @ heads[other] + heads[other] @ head.arc_bias
            if other == dependent + 1:
                arc = torch.tensor(IMPOSSIBLE)
            torch.testing.assert_close(outputs.arc_logits[0, dependent, other], arc, rtol=1e-4, atol=1e-4)
            for kind in range(3):
                expected = (
                    words[dependent] @ head.relation[kind] @ heads[other]
                    + words[dependent] @ head.relation_of_word[kind]
                    + head.relation_bias[kind]
                )
                found = outputs.relation_logits[0, dependent, other, kind]
                torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_padding_can_be_no_head_and_changes_nothing(parser):
    together = parser(**batch())
    assert (together.arc_logits[1, 0] > IMPOSSIBLE / 2).tolist() == [True, False, False, False]
    alone = parser(**{name: value[1:, :3] for name, value in batch().items()})
    torch.testing.assert_close(together.arc_logits[1, :1, :2], alone.arc_logits[0], rtol=1e-4, atol=1e-4)


def test_the_root_is_learnt_like_every_head_and_what_is_ignored_has_no_part(parser):
    heads = torch.tensor([[2, 0, -100], [0, -100, -100]])
    relations = torch.tensor([[0, 2, -100], [2, -100, -100]])
    outputs = parser(**batch(), heads=heads, relations=relations)
    rows, words = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0])
    gold = heads[rows, words]
    expected = functional.cross_entropy(outputs.arc_logits[rows, words], gold)
    expected += functional.cross_entropy(outputs.relation_logits[rows, words, gold], relations[rows, words])
    torch.testing.assert_close(outputs.loss, expected)
    torch.testing.assert_close(at_heads(outputs.relation_logits, heads)[0, 0], outputs.relation_logits[0, 0, 2])


def test_word_means_leave_special_tokens_out():
    hidden = torch.arange(6.0)[None, :, None]
    means, real = word_means(hidden, torch.tensor([[-1, 0, 0, 1, -1, -1]]))
    assert means.flatten().tolist() == [1.5, 3.0]
    assert real.tolist() == [[True, True]]
