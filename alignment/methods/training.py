"""Methods that train adapters (LoRA) on one answer token: one for each subject, or some for all subjects.

The text is the neutral one, so that what a subject answered stands in the weights; only Prompt-MORL tells trait levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignment.benchmark import Subject
from alignment.methods.contract import Context, Fit, Prompted
from alignment.methods.prompting import trait_levels

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent


def trained(method: str, *, early_stopping: bool = False) -> Fit:
    """The method that trains by the objective and the hyperparameters of that name."""

    def fit(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
        from alignment.training.fitting import fit_adapter

        return fit_adapter(method, subject, respondent, context, early_stopping=early_stopping)

    return fit


def prompt_morl(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """One adapter trained on other people who are told by their trait levels; the subject's levels are told."""
    from alignment.training.shared import levels_adapter

    text = trait_levels(subject, respondent, context).system
    return Prompted(text, adapter=levels_adapter(subject, respondent, context))


def soups(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
    """Personalized Soups (Jang et al. 2023): adapters of people high and low in each domain, weighted by the scores."""
    from alignment.training.shared import poured

    return Prompted(respondent.wording.system(), adapter=poured(subject, respondent, context))


sft = trained("sft", early_stopping=True)
dpo = trained("dpo")
dpo_graded = trained("dpo-graded", early_stopping=True)
ppo = trained("ppo")
epg = trained("epg", early_stopping=True)
