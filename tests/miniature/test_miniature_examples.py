"""Gold entities, trees and questions of the miniature: that they are what they say they are, in every language."""

import re
from collections import Counter

import pytest

from bistil_core.data.formats import format_of
from bistil_core.miniature.annotation import annotated
from bistil_core.miniature.examples import generated_tasks, generator_of
from bistil_core.miniature.languages import LANGUAGES, realise
from bistil_core.miniature.languages.sentence import text
from bistil_core.miniature.lexicon import NAMES, PERSONS, PLACES, SUBJECTS, TENSES, TIMES, VERBS
from bistil_core.miniature.world import Claim

TASKS = ("dp", "ner", "nli", "qa")


def rows(task, language, split="train", count=300, seed=1):
    return list(generator_of(task)(language, split, count, seed))


def test_the_miniature_has_examples_of_the_four_tasks_of_the_paper():
    assert tuple(generated_tasks()) == TASKS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", TASKS)
def test_examples_are_as_the_tasks_format_has_them_and_reproducible(task, language):
    made = rows(task, language)
    normalised = list(map(format_of(task).normalise, made))
    assert None not in normalised
    assert made == rows(task, language)
    assert made[:50] == rows(task, language, count=50)
    assert made != rows(task, language, seed=2)


@pytest.mark.parametrize("task", TASKS)
def test_no_event_of_the_test_split_is_in_the_others(task):
    def told(split):
        return {str(row) for row in rows(task, "en", split, 1500)}

    train, validation, test = map(told, ("train", "validation", "test"))
    assert not test & (train | validation)
    assert not train & validation


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_tree_are_those_of_the_sentence(language):
    for tense in TENSES:
        for verb in VERBS:
            for negated in (False, True):
                claim = Claim("teacher", verb, tense, "apple", 3, "big", "at the market", "now", negated)
                words = annotated(claim, language)
                assert " ".join(word.text for word in words).replace(" .", ".") == text(realise(claim, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_has_one_head_whatever_its_words(language):
    claims = [Claim(subject, "buy", "past", "apple") for subject in SUBJECTS]
    claims += [Claim("Ali", "buy", "past", "apple", place=place) for place in PLACES]
    claims += [Claim("Ali", "buy", "past", "apple", time=time) for time in TIMES]
    claims += [Claim("Ali", verb, tense, "apple", negated=no) for verb in VERBS for tense in TENSES for no in (0, 1)]
    for claim in claims:
        heads = Counter(word.slot for word in annotated(claim, language) if word.is_head)
        assert set(heads.values()) == {1}, claim


def test_a_tree_by_hand():
    claim = Claim("teacher", "buy", "past", "apple", 3, "big", "at the market", "last week", negated=True)
    by_hand = {
        "en": "last/2/amod week/7/obl the/4/det teacher/7/nsubj did/7/aux not/7/advmod buy/0/root three/10/nummod "
              "big/10/amod apples/7/obj at/13/case the/13/det market/7/obl ./7/punct",
        "sw": "wiki/4/obl iliyopita/1/amod mwalimu/4/nsubj hakununua/0/root matofaa/4/obj makubwa/5/amod "
              "matatu/5/nummod sokoni/4/obl ./4/punct",
        "tr": "geçen/2/amod hafta/8/obl öğretmen/8/nsubj pazarda/8/obl üç/7/nummod büyük/7/amod elma/8/obj "
              "almadı/0/root ./8/punct",
    }  # fmt: skip
    for language, tree in by_hand.items():
        found = [f"{word.text}/{word.head}/{word.relation}" for word in annotated(claim, language)]
        assert found == tree.split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_entities_are_persons_and_places(language):
    names = format_of("ner")
    spans = Counter()
    for row in rows("ner", language, count=600):
        assert len(row["tokens"]) == len(row["tags"])
        tagged = dict(zip(row["tokens"], row["tags"], strict=True))
        assert row["tags"].count("B-PER") == 1
        assert all(tag == "B-PER" for token, tag in tagged.items() if token in NAMES)
        assert names.normalise(row)["tokens"] == row["tokens"]
        spans.update(row["tags"])
    assert spans["B-PER"] == 600
    assert spans["B-LOC"] > spans["B-ORG"] > 60
    persons = {
        token
        for row in rows("ner", "en", count=600)
        for token, tag in zip(*row.values(), strict=True)
        if tag == "B-PER"
    }
    assert persons == {*NAMES, *PERSONS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_stand_where_they_are_said_to_and_only_one_event_fits_the_question(language):
    kinds = Counter()
    for row in rows("qa", language):
        (answer,) = row["answers"]
        assert row["context"][answer["answer_start"] :].startswith(answer["text"])
        before = row["context"][: answer["answer_start"]]
        assert before == "" or before[-1] == " "
        # Whoever puts the answer in place of the question word has a sentence of the context.
        sentences = re.findall(r"[^.]+\.", row["context"])
        possible = [sentence.strip() for sentence in sentences if answer["text"] in sentence]
        told = set(row["question"].rstrip("?").split())
        assert max(len(told & set(sentence.rstrip(".").split())) for sentence in possible) >= len(told) - 2
        kinds[answer["text"] in NAMES] += 1
    assert kinds[True] > 20


def test_questions_of_all_languages_are_translations():
    asked = {language: rows("qa", language, count=200) for language in LANGUAGES}
    for english, swahili in zip(asked["en"], asked["sw"], strict=True):
        assert ("who" in english["question"].split()) == ("nani" in swahili["question"].split())
        assert (english["answers"][0]["text"] in NAMES) == (swahili["answers"][0]["text"] in NAMES)
