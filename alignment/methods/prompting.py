"""Methods that only tell the model something before the questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alignment.benchmark import Subject
from alignment.methods.contract import Context, Fit, Prompted, answered
from alignment.prompts import LEVEL_CUTS, Prompts
from papi.errors import NothingKnown
from papi.floors import Matrix, as_matrix
from papi.scoring import Answers

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent

LONGEST_DESCRIPTION = 400  # tokens
Norms = tuple[Matrix, Matrix]


def no_change(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """The neutral text: the same answers for every subject."""
    return Prompted(respondent.wording.system())


def average_person(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """The model is told to be an average person."""
    return Prompted(respondent.wording.system("average_person"))


def trait_levels(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """The level of every domain in words: where the subject's given score lies among other people's."""
    return Prompted(levels_text(standing(subject, context), respondent, context))


def levels_text(standing_: Matrix, respondent: Respondent, context: Context) -> str:
    """The text that tells someone's level in every domain, from the standing in each."""
    titles = [domain.title for domain in context.benchmark.instrument.domains]
    levels = map(int, np.searchsorted(LEVEL_CUTS, standing_))
    return respondent.wording.trait_levels(list(zip(titles, levels, strict=True)))


def few_shot(count: int) -> Fit:
    """`count` given answers as text, or all there are; balanced by domain and key, nested, seeded by subject."""

    def fit(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
        return Prompted(few_shot_text(subject, respondent, context, example_order(subject, context)[:count]))

    return fit


def describe_person(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """P² (Zhu et al. 2025): a description of the person, by the model from the given answers, or from a file."""
    if context.descriptions is None:
        pairs = pairs_of(subject, respondent.wording, context, answered(subject.given))
        text = respondent.write(respondent.wording.system("describe", pairs=pairs), LONGEST_DESCRIPTION)
    elif subject.subject_id in context.descriptions:
        text = context.descriptions[subject.subject_id]
    else:
        raise NothingKnown("the file of descriptions has none of this subject", got=subject.subject_id)
    return Prompted(respondent.wording.system("described", description=text), fit={"description": text})


def neutral_text(subject: Subject, respondent: Respondent, context: Context, items: NDArray[np.intp]) -> str:
    """The neutral text: it tells none of the given items."""
    return respondent.wording.system()


def few_shot_text(subject: Subject, respondent: Respondent, context: Context, items: NDArray[np.intp]) -> str:
    """The text that tells the answers to some of the given items, in the order of the questionnaire."""
    return respondent.wording.system("few_shot", pairs=pairs_of(subject, respondent.wording, context, items))


def pairs_of(subject: Subject, wording: Prompts, context: Context, items: NDArray[np.intp]) -> str:
    """Given items, by position, with the subject's answers; what was not answered is left out."""
    chosen = np.intersect1d(items, answered(subject.given))
    questions = [context.benchmark.given[item] for item in chosen]
    return wording.pairs(questions, [int(answer) for answer in subject.given[chosen]])


def example_order(subject: Subject, context: Context) -> NDArray[np.intp]:
    """The answered given items in such an order that any first part is balanced by domain and key.

    Within a group (domain and key) of n items, shuffled, the item of rank r stands at (r + a random part) / n.
    """
    random = np.random.default_rng([context.seed, subject.seed])
    items = answered(subject.given)
    groups: dict[tuple[str, int], list[int]] = {}
    for item in random.permutation(items):
        question = context.benchmark.given[item]
        groups.setdefault((question.domain, question.keyed), []).append(int(item))
    places = {
        item: (rank + random.random()) / len(members)
        for _, members in sorted(groups.items())
        for rank, item in enumerate(members)
    }
    return np.array(sorted(places, key=lambda item: (places[item], item)), dtype=np.intp)


def standing(subject: Subject, context: Context) -> Matrix:
    """The subject's given domain scores in standard deviations from other people's mean, (domains,); 0 if unknown."""
    own: Matrix = standings(subject.given[None], norms_for(subject, context), context)[0]
    return own


def standings(given: Answers, norms: Norms, context: Context) -> Matrix:
    """The domain scores of people in standard deviations from others' mean, (people, domains); 0 if unknown."""
    mean, spread = norms
    found: Matrix = np.nan_to_num((domain_scores(given, context) - mean) / spread)
    return found


def norms_for(subject: Subject, context: Context) -> Norms:
    """Mean and standard deviation of the domain scores of the people whom a subject is compared with."""
    others = context.reference(subject)
    return context.once(("norms", others.name), lambda: norms_of(others.given, context))


def domain_scores(given: Answers, context: Context) -> Matrix:
    """Domain scores from given labels, (people, domains); NaN where under half of a domain's items are answered."""
    benchmark = context.benchmark
    values = benchmark.scores(as_matrix(given), benchmark.given)
    result = np.full((len(given), len(benchmark.instrument.domains)), np.nan)
    for column, domain in enumerate(benchmark.instrument.domains):
        part = values[:, [question.domain == domain.name for question in benchmark.given]]
        count = (~np.isnan(part)).sum(axis=1)
        enough = 2 * count >= part.shape[1]
        result[enough, column] = np.nansum(part[enough], axis=1) / count[enough]
    return result


def norms_of(given: Answers, context: Context) -> Norms:
    """Mean and standard deviation of people's domain scores, each (domains,)."""
    scores = domain_scores(given, context)
    return np.nanmean(scores, axis=0), np.nanstd(scores, axis=0)
