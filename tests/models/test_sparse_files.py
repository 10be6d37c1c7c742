import http.server
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForTokenClassification

from bistil_core import SparseFineTuning
from bistil_core.errors import BistilError
from bistil_core.models.sparse_files import HEADER, pack_indices, unpack_indices

ORACLE = Path(__file__).parents[1] / "oracle" / "sft_file"
DECODED = load_file(ORACLE / "decoded_dense_tf5.safetensors")


def dense(sft: SparseFineTuning) -> dict[str, torch.Tensor]:
    tensors = {f"abs.{name}": value for name, value in sft.replacements.items()}
    for name, (indices, values) in sft.differences.items():
        full = torch.zeros(sft.shapes[name])
        full.view(-1)[indices] = values
        tensors[f"diff.{name}"] = full
    return tensors


def assert_same(sft: SparseFineTuning, expected: dict[str, torch.Tensor]) -> None:
    got = dense(sft)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(got[name], value), name


def oracle_model(weights: str = "base") -> BertForTokenClassification:
    config = BertConfig(
        vocab_size=37, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=20, num_labels=4,
    )  # fmt: skip
    model = BertForTokenClassification(config)
    model.load_state_dict(load_file(ORACLE / f"{weights}.safetensors"))
    return model


@pytest.fixture
def learnt() -> SparseFineTuning:
    return SparseFineTuning(
        {
            "encoder.layer.0.weight": (torch.tensor([0, 1, 254, 255, 256, 767, 5999]), torch.randn(7)),
            "still.bias": (torch.zeros(0, dtype=torch.int64), torch.zeros(0)),
            "scalar": (torch.tensor([0]), torch.tensor([2.0])),
        },
        {"encoder.layer.0.weight": (60, 100), "still.bias": (3,), "scalar": ()},
        {"head.weight": torch.randn(3, 4), "head.half": torch.randn(2).bfloat16()},
        {"base_model": "some/base", "revision": "abc", "language": "sw", "base_fingerprint": {}},
    )


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 300) | st.integers(0, 70_000)))
def test_indices_survive_packing(indices):
    indices = torch.tensor(sorted(indices), dtype=torch.int64)
    codes = pack_indices(indices)
    assert codes.dtype == torch.uint8
    assert torch.equal(unpack_indices(codes), indices)
    assert len(codes) <= len(indices) + (int(indices[-1]) // 255 if len(indices) else 0)


def test_indices_beyond_int32_survive():
    indices = torch.tensor([5, 2**31 + 7, 2**32 + 1], dtype=torch.int64)
    assert torch.equal(unpack_indices(pack_indices(indices)), indices)


def test_a_round_trip_keeps_everything(tmp_path, learnt):
    learnt.save(tmp_path / "below" / "sw.safetensors")
    loaded = SparseFineTuning.load(tmp_path / "below" / "sw.safetensors")
    assert_same(loaded, dense(learnt))
    assert loaded.shapes == learnt.shapes
    assert loaded.metadata == learnt.metadata
    assert loaded.metadata["density"] == 8 / 6004
    for indices, values in loaded.differences.values():
        assert indices.dtype == torch.int64
        assert values.dtype == torch.float32
    assert loaded.replacements["head.half"].dtype == torch.bfloat16


def test_equal_content_gives_equal_bytes(tmp_path, learnt):
    learnt.save(tmp_path / "one.safetensors")
    backwards = SparseFineTuning(
        *(dict(reversed(part.items())) for part in (learnt.differences, learnt.shapes, learnt.replacements)),
        dict(reversed(learnt.metadata.items())),
    )
    backwards.save(tmp_path / "two.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    learnt.save_composable(tmp_path / "one")
    learnt.save_composable(tmp_path / "two" / "other_name.bin")
    assert (tmp_path / "one" / "pytorch_diff.bin").read_bytes() == (tmp_path / "two" / "other_name.bin").read_bytes()
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["pytorch_diff.bin"]


def test_it_takes_about_five_bytes_an_entry(tmp_path):
    generator = torch.Generator().manual_seed(0)
    indices = (torch.rand(1_000_000, generator=generator) < 0.08).nonzero().view(-1)
    SparseFineTuning({"w": (indices, torch.randn(len(indices)))}, {"w": (1000, 1000)}).save(tmp_path / "w")
    assert (tmp_path / "w").stat().st_size < 5.01 * len(indices) + 500


def test_the_references_file_is_read():
    sft = SparseFineTuning.load(ORACLE / "pytorch_diff.bin")
    assert_same(sft, DECODED)
    expected = json.loads((ORACLE / "decoded_tf5.json").read_text())["diffs"]
    assert {name: len(indices) for name, (indices, _) in sft.differences.items()} == {
        name: each["n_values"] for name, each in expected.items()
    }


@pytest.mark.parametrize("with_head", [True, False])
def test_applying_it_gives_the_references_model(with_head):
    sft = SparseFineTuning.load(str(ORACLE))
    model = oracle_model()
    (sft if with_head else sft.without_replacements()).apply(model)
    expected = oracle_model("applied_with_abs_tf5" if with_head else "applied_without_abs_tf5")
    for name, value in expected.named_parameters():
        assert torch.equal(model.get_parameter(name), value), name


def test_the_references_encoding_is_written(tmp_path):
    sft = SparseFineTuning.load(ORACLE / "pytorch_diff.bin")
    sft.save_composable(tmp_path)
    written = torch.load(tmp_path / "pytorch_diff.bin", weights_only=True)
    expected = json.loads((ORACLE / "decoded_tf5.json").read_text())
    assert written["diffs"].keys() == expected["diffs"].keys()
    for name, each in expected["diffs"].items():
        assert written["diffs"][name]["index_steps"] == each["index_steps"], name
        assert list(written["diffs"][name]["size"]) == each["size"]
        assert str(written["diffs"][name]["values"].dtype) == each["dtype"]
    assert written["abs"].keys() == expected["abs"].keys()
    assert_same(SparseFineTuning.load(tmp_path), DECODED)


@settings(max_examples=25, deadline=None)
@given(shape=st.lists(st.integers(1, 6), min_size=0, max_size=4), seed=st.integers(0, 99))
def test_column_major_order_in_any_number_of_dimensions(tmp_path_factory, shape, seed):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(shape, generator=generator) < 0.4
    tuned = torch.randn(shape, generator=generator)
    sft = SparseFineTuning.difference({"w": torch.zeros(shape)}, {"w": tuned}, {"w": mask})
    folder = tmp_path_factory.mktemp("sft")
    sft.save_composable(folder)
    assert_same(SparseFineTuning.load(folder), {"diff.w": tuned * mask})
    encoded = torch.load(folder / "pytorch_diff.bin", weights_only=True)["diffs"]["w"]
    column_major = np.zeros(mask.numel(), dtype=np.float32)
    column_major[np.cumsum(encoded["index_steps"], dtype=np.int64)] = encoded["values"]
    np.testing.assert_array_equal(column_major.reshape(shape, order="F"), (tuned * mask).numpy())


class Payload:
    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, legacy):
    target, path = tmp_path / "hacked", tmp_path / "pytorch_diff.bin"
    content = {"diffs": {}, "abs": {}, "extra": Payload(target)}
    if legacy:
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path)
    with pytest.raises(BistilError, match="holds code, which is never run"):
        SparseFineTuning.load(path)
    assert not target.exists()
    torch.load(path, weights_only=False) if not legacy else pickle.loads(path.read_bytes())
    assert target.exists(), "the payload would have worked"


def test_numpy_is_not_reconstructed_from_a_strangers_pickle(tmp_path):
    torch.save({"diffs": {}, "extra": np.zeros(3)}, tmp_path / "pytorch_diff.bin")
    with pytest.raises(BistilError, match="never run"):
        SparseFineTuning.load(tmp_path)
    torch.save({"diffs": {}, "extra": np.float64(1.0)}, tmp_path / "pytorch_diff.bin")
    with pytest.raises(BistilError, match="never run"):
        SparseFineTuning.load(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_truncated_files(tmp_path, learnt, share):
    learnt.save(tmp_path / "sft.safetensors")
    learnt.save_composable(tmp_path / "pytorch_diff.bin")
    for name in ("sft.safetensors", "pytorch_diff.bin"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(BistilError, match=rf"{name}.*cut short"):
            SparseFineTuning.load(tmp_path / name)


def test_what_is_no_sparse_fine_tuning(tmp_path):
    save_file({"w": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(BistilError, match=r"model\.safetensors: .*but no sparse fine-tuning"):
        SparseFineTuning.load(tmp_path / "model.safetensors")
    torch.save({"w": torch.zeros(2)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(BistilError, match="key `diffs` was expected"):
        SparseFineTuning.load(tmp_path / "pytorch_model.bin")
    with pytest.raises(BistilError, match="there is no such sparse fine-tuning"):
        SparseFineTuning.load(tmp_path / "nothing.safetensors")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BistilError, match="there is no such sparse fine-tuning"):
        SparseFineTuning.load(tmp_path / "empty")


def edited(path: Path, learnt: SparseFineTuning, change) -> Path:
    learnt.save(path)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()[HEADER])
    tensors = load_file(path)
    change(header, tensors)
    save_file(tensors, path, {HEADER: json.dumps(header)})
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header, tensors: tensors.pop("values.scalar"), r"damaged \('values.scalar'\)"),
        (lambda header, tensors: header.pop("shapes"), r"damaged \('shapes'\)"),
        (lambda header, tensors: header.update(version=2), "version 2 of the format; this code reads 1"),
        (lambda header, tensors: header["shapes"].update({"encoder.layer.0.weight": [59, 100]}), "below its size 5900"),
        (lambda header, tensors: tensors["gaps.encoder.layer.0.weight"].__setitem__(1, 0), "ascending indices"),
        (lambda header, tensors: tensors.update({"values.scalar": torch.zeros(2)}), "scalar has 1 indices for 2"),
    ],
)
def test_damaged_files(tmp_path, learnt, change, message):
    path = edited(tmp_path / "sft.safetensors", learnt, change)
    with pytest.raises(BistilError, match=message) as error:
        SparseFineTuning.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("difference", "message"),
    [
        ({"size": [2, 2], "index_steps": [1, 3], "values": torch.ones(2)}, "w is damaged"),
        ({"size": [2, 2], "index_steps": [1, 1, 1], "values": torch.ones(2)}, "3 indices for 2 values"),
        ({"size": [2, 2], "index_steps": [1], "values": [1.0]}, "w is damaged"),
        ({"size": [2, 2], "values": torch.ones(2)}, "w is damaged"),
        ({"size": [2, 2], "index_steps": [1, 0], "values": torch.ones(2)}, "ascending indices"),
    ],
)
def test_damaged_differences_of_the_other_format(tmp_path, difference, message):
    torch.save({"diffs": {"w": difference}}, tmp_path / "pytorch_diff.bin")
    with pytest.raises(BistilError, match=message):
        SparseFineTuning.load(tmp_path)
    torch.save({"diffs": {}, "abs": {"w": 3}}, tmp_path / "pytorch_diff.bin")
    with pytest.raises(BistilError, match="`abs` must hold full tensors"):
        SparseFineTuning.load(tmp_path)
    torch.save({"diffs": {}, "block_sparses": {"w": {"size": [2]}}}, tmp_path / "pytorch_diff.bin")
    with pytest.raises(BistilError, match="block-sparse"):
        SparseFineTuning.load(tmp_path)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool):
        found = self.path in (f"/some/sft/resolve/{revision}/pytorch_diff.bin" for revision in ("main", COMMIT))
        content = (ORACLE / "pytorch_diff.bin").read_bytes() if found else b""
        self.send_response(200 if found else 404)
        for key, value in {
            "Content-Length": len(content),
            **({"ETag": '"1"', "X-Repo-Commit": COMMIT} if found else {"X-Error-Code": "RepoNotFound"}),
        }.items():
            self.send_header(key, str(value))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hub():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def load_elsewhere(script: str, **environment: str) -> str:
    """Run in a process of its own, because the hub's address is read when its client is imported."""
    script = "from bistil_core import SparseFineTuning\nfrom bistil_core.errors import BistilError\n" + script
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", **environment}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_published_files_come_from_the_hub_once(hub, tmp_path):
    kept, cache = tmp_path / "kept.safetensors", str(tmp_path / "hub")
    load_elsewhere(f"SparseFineTuning.load('some/sft').save({str(kept)!r})", HF_ENDPOINT=hub, HF_HUB_CACHE=cache)
    sft = SparseFineTuning.load(kept)
    assert_same(sft, DECODED)
    assert (sft.metadata["hub_id"], sft.metadata["hub_revision"]) == ("some/sft", COMMIT)
    script = f"""
print(SparseFineTuning.load('some/sft', revision='{COMMIT}').tuned_parameters)
try:
    SparseFineTuning.load('some/other')
except BistilError as error:
    print(error)
"""
    offline = load_elsewhere(script, HF_ENDPOINT=hub, HF_HUB_CACHE=cache, HF_HUB_OFFLINE="1").splitlines()
    assert offline[0] == str(sft.tuned_parameters)
    assert offline[1].startswith("some/other: neither a file here nor to be had from the hub")
