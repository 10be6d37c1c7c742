"""The loopback hub, with the repositories that configs/xnli.yaml names."""

import pytest

from bistil_core.hub import patience
from tests.hub import content
from tests.hub.loopback import LoopbackHub, Repository


@pytest.fixture(scope="session")
def xlm_roberta():
    """The files of the small model, made once."""
    return content.model()


@pytest.fixture
def hub(monkeypatch, tmp_path, xlm_roberta):
    """A running hub that the environment points to, with waits of no time between attempts."""
    server = LoopbackHub()
    server.repositories = {
        ("models", "FacebookAI/xlm-roberta-base"): Repository(xlm_roberta.files),
        ("models", "owner/xlmr-task-sft-nli"): content.task_sft(xlm_roberta),
        ("datasets", "facebook/xnli"): content.xnli(),
        ("datasets", "nyu-mll/multi_nli"): content.multi_nli(),
        ("datasets", "wikimedia/wikipedia"): content.wikipedia(),
        ("datasets", "HuggingFaceFW/fineweb-2"): content.fineweb(),
    }
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(patience, "WAITS", (0, 0, 0))
    monkeypatch.chdir(tmp_path)
    yield server
    server.close()
