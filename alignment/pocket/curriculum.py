"""What the pocket respondent is trained on: prompts about simulated people with the true probabilities of answers.

A row is one prefix (persona and question up to its statement) and many statements asked after it. Of a person a prefix
tells the answers to some items, as text or as earlier turns of the conversation, or trait levels, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from alignment.pocket.vocabulary import (
    ASSISTANT,
    CLOSING,
    SYSTEM,
    USER,
    all_prompts,
    simulated_questions,
    words,
)
from alignment.prompts import LETTERS, LEVEL_CUTS, Prompts
from papi.instruments import DARK_TRIAD, IPIP_300, MAXIMUM, MINIMUM, instrument
from papi.people import answer_probabilities, draw_people
from papi.people_parameters import Floats, trait_parameters
from papi.scoring import Answers

LENGTH = 230  # of a row in tokens: a prefix of 120 answers and about 30 statements
SUFFIX = 3  # tokens of a question that are its own: statement, role, beginning of the answer
POPULATION, POPULATION_SEED = 4_000, 1
DARK_TRIAD_SHARE, GIVEN_ONLY_SHARE, MOST_TURNS = 0.15, 0.7, 9
KINDS = {"few-shot": 0.66, "turns": 0.12, "trait-levels": 0.14, "average-person": 0.03, "neutral": 0.05}
TOLD = {10: 0.15, 30: 0.15, 60: 0.15, 80: 0.15, 120: 0.4}  # answers in a few-shot prompt, of 120, and how often
MISSING_AT_MOST = 4  # answers that a prompt with all given items may lack
# Without a persona the model is somebody of its own, calm, friendly and orderly as assistants are (domains in standard
# deviations): a method that tells it something about a person has room to gain, a steered trait somewhere to go.
OWN_CHARACTER = {
    IPIP_300: {"N": -1.5, "E": 0.5, "O": 1.0, "A": 1.5, "C": 1.5},
    DARK_TRIAD: {"M": -0.8, "N": -0.5, "P": -1.0},
}
Random = np.random.Generator


@dataclass(frozen=True)
class Row:
    """A prefix with the statements asked after it, as token ids; `targets` are probabilities of the letters.

    `earlier` are those of the answers inside the prefix that are to be learned, at the positions `earlier_at`.
    """

    prefix: list[int]
    asked: NDArray[np.intp]
    targets: Floats
    earlier_at: list[int]
    earlier: Floats


class Questionnaire:
    """The curriculum of one instrument; `rows` draws from it."""

    def __init__(self, config: str, tokenizer: PreTrainedTokenizerFast) -> None:
        self.of = instrument(config)
        self.tokenizer = tokenizer
        self.questions = simulated_questions(self.of)
        self.prompts = all_prompts(config)
        told = words().statements[config]
        self.statement_ids = np.array([told[i, None] for i in range(len(self.questions))])
        self.given = np.array([i for i, item in enumerate(self.of.items) if item.role == "given"])
        self.start = words().ids[self.prompts[0].asked]

    def rows(self, random: Random, n: int, seed: Sequence[int]) -> list[Row]:
        """Rows about `n` new people."""
        probabilities = answer_probabilities(draw_people(self.of, n, seed), self.of)
        kinds = random.choice(list(KINDS), size=n, p=list(KINDS.values()))
        return [self._row(random, kind, each) for kind, each in zip(kinds, probabilities, strict=True)]

    def prefix(self, prompts: Prompts, system: str, turns: Sequence[tuple[int, str]] = ()) -> list[int]:
        """The tokens of a conversation up to the statement; `turns` are items with the letters answered before."""
        opening = self._question_opening(prompts)
        text = SYSTEM + system
        for item, letter in turns:
            text += f"{opening}{self.questions[item].statement}{ASSISTANT}{prompts.asked}{letter}{CLOSING}"
        return list(self.tokenizer.encode(text + opening, add_special_tokens=False))

    def few_shot(self, prompts: Prompts, items: Sequence[int], responses: Sequence[int]) -> str:
        """The system text that tells these responses to these items."""
        return prompts.system("few_shot", pairs=prompts.pairs([self.questions[i] for i in items], responses))

    def levels(self, responses: Answers) -> list[tuple[str, int]]:
        """Each domain's title with the level 0-4 of someone who gave these responses to the given items."""
        means, deviations = self._population_scores
        z = (self._scores(responses[None])[0] - means) / deviations
        return [(d.title, int(np.searchsorted(LEVEL_CUTS, each))) for d, each in zip(self.of.domains, z, strict=True)]

    @cached_property
    def average_person(self) -> Floats:
        """Answer probabilities of somebody whose traits are all average, (items, 5)."""
        return self._person_with(dict.fromkeys(self._names, 0.0))

    @cached_property
    def own_character(self) -> Floats:
        """Answer probabilities of the model itself, as it answers when nothing is said about a person, (items, 5)."""
        return self._person_with(OWN_CHARACTER[self.of.name])

    def _person_with(self, domains: dict[str, float]) -> Floats:
        """Answer probabilities of somebody with these domains and the facets to be expected, (items, 5)."""
        traits, person = trait_parameters(self.of), draw_people(self.of, 1, POPULATION_SEED)
        person.domains[0] = [domains[name] for name in self._names]
        person.facets[0] = traits.weights * person.domains[0][traits.domain_of]
        person.acquiescence[0] = 0
        probabilities: Floats = answer_probabilities(person, self.of)[0]
        return probabilities

    @property
    def _names(self) -> list[str]:
        return [domain.name for domain in self.of.domains]

    @cached_property
    def _population(self) -> Floats:
        return answer_probabilities(draw_people(self.of, POPULATION, POPULATION_SEED), self.of)

    @cached_property
    def _population_scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scores = self._scores(draw_answers(np.random.default_rng(POPULATION_SEED), self._population))
        return scores.mean(axis=0), scores.std(axis=0)

    def _scores(self, responses: Answers) -> NDArray[np.float64]:
        """Mean score of the given items of each domain, (people, domains)."""
        scores = np.where(self.of.keyed > 0, responses, MINIMUM + MAXIMUM - responses)
        given = [np.intersect1d(domain.positions, self.given) for domain in self.of.domains]
        return np.stack([scores[:, positions].mean(axis=1) for positions in given], axis=1)

    def _row(self, random: Random, kind: str, person: Floats) -> Row:
        prompts = self.prompts[random.integers(2)]
        answers = draw_answers(random, person)
        if kind == "few-shot":
            told = self._told(random)
            system = self.few_shot(prompts, told.tolist(), answers[told].tolist())
            return self._asked(random, prompts, self.prefix(prompts, system), person, told)
        if kind == "turns":
            return self._with_turns(random, prompts, person, answers)
        if kind == "trait-levels":
            levels = self.levels(answers)
            levels = levels if random.random() < 0.9 else [levels[i] for i in random.permutation(len(levels))[:2]]
            return self._asked(random, prompts, self.prefix(prompts, prompts.trait_levels(levels)), person)
        if kind == "average-person":
            return self._asked(
                random, prompts, self.prefix(prompts, prompts.system("average_person")), self.average_person
            )
        return self._asked(random, prompts, self.prefix(prompts, prompts.system()), self.own_character)

    def _told(self, random: Random) -> NDArray[np.intp]:
        """Which items a few-shot prompt tells: mostly given ones, in any order or in that of the instrument."""
        share = random.choice(list(TOLD), p=list(TOLD.values())) / max(TOLD)
        k = round(share * len(self.given))
        k = k - int(random.integers(MISSING_AT_MOST)) if share == 1 and random.random() < 0.5 else k
        source = self.given if random.random() < GIVEN_ONLY_SHARE else np.arange(len(self.questions))
        told = random.choice(source, size=min(k, len(source)), replace=False)
        return np.sort(told) if random.random() < 0.5 else told

    def _with_turns(self, random: Random, prompts: Prompts, person: Floats, answers: Answers) -> Row:
        """A neutral system text and answers given before; of these all but the first are learned as well."""
        items = random.permutation(len(self.questions))[: random.integers(1, MOST_TURNS + 1)]
        letters = [LETTERS[prompts.responses.index(int(answers[i]))] for i in items]
        prefix = self.prefix(prompts, prompts.system(), list(zip(items.tolist(), letters, strict=True)))
        starts = [at for at, token in enumerate(prefix) if token == self.start]
        return self._asked(random, prompts, prefix, person, items, earlier_at=starts[1:])

    def _asked(
        self,
        random: Random,
        prompts: Prompts,
        prefix: list[int],
        person: Floats,
        told: NDArray[np.intp] | None = None,
        earlier_at: Sequence[int] = (),
    ) -> Row:
        """The row of a prefix: as many other items as it has room for."""
        told = np.array([], dtype=np.intp) if told is None else told
        others = np.setdiff1d(np.arange(len(self.questions)), told)
        asked = random.permutation(others)[: (LENGTH - len(prefix)) // SUFFIX]
        by_letter = person[:, np.array(prompts.responses) - MINIMUM]
        earlier = by_letter[told[1:]] if earlier_at else by_letter[:0]
        return Row(prefix, self.statement_ids[asked], by_letter[asked], list(earlier_at), earlier)

    def _question_opening(self, prompts: Prompts) -> str:
        question = self.questions[0]
        return USER + prompts.question(question).removesuffix(question.statement)


def questionnaires(tokenizer: PreTrainedTokenizerFast) -> tuple[Questionnaire, Questionnaire]:
    """The curricula of the IPIP-NEO and the Dark Triad."""
    return Questionnaire(IPIP_300, tokenizer), Questionnaire(DARK_TRIAD, tokenizer)


def draw_answers(random: Random, probabilities: Floats) -> Answers:
    """Responses 1-5 drawn from probabilities (…, items, 5)."""
    below = probabilities.cumsum(axis=-1)[..., :-1]
    above: NDArray[np.bool_] = random.random(probabilities.shape[:-1])[..., None] > below
    answers: Answers = MINIMUM + above.sum(axis=-1, dtype=np.int8)
    return answers
