from bistil_core.reasons import changes


def test_a_changed_key_is_named_with_its_values():
    before, now = {"density": 0.3, "steps": 5}, {"density": 0.25, "steps": 5}
    assert changes({repr(before)}, {repr(now)}) == ["density: 0.3 -> 0.25"]


def test_nested_keys_new_keys_and_dropped_keys():
    before = {"source": {"kind": "files", "path": "a"}, "old": 1}
    now = {"source": {"kind": "files", "path": "b"}, "new": 2}
    assert changes({repr(before)}, {repr(now)}) == ["new: nothing -> 2", "old: 1 -> nothing", "source.path: a -> b"]


def test_parameters_are_told_apart_by_their_keys():
    code, settings = {"bistil_core.training.losses": "0c3f"}, {"batch_size": 8, "seed": None}
    new_code, new_settings = {"bistil_core.training.losses": "91ab"}, {"batch_size": 9, "seed": None}
    found = changes({repr(code), repr(settings)}, {repr(new_code), repr(new_settings)})
    assert sorted(found) == ["batch_size: 8 -> 9", "bistil_core.training.losses: 0c3f -> 91ab"]


def test_single_values_and_what_is_no_literal():
    assert changes({"1"}, {"2"}) == ["1 -> 2"]
    assert changes({"'en'"}, {"'sw'"}) == ["en -> sw"]
    assert changes({"<object 1>"}, {"<object 2>"}) == ["<object 1> -> <object 2>"]
    assert changes(set(), {"'sw'"}) == ["nothing -> sw"]
    assert changes({"3"}, set()) == ["3 -> nothing"]
