"""Methods that train an adapter for each subject (LoRA), on one answer token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignment.benchmark import Subject
from alignment.methods.contract import Context, Fit, Prompted

if TYPE_CHECKING:
    from alignment.respondent.respondent import Respondent


def trained(method: str, *, early_stopping: bool = False) -> Fit:
    """The method that trains by the objective and the hyperparameters of that name."""

    def fit(subject: Subject, respondent: Respondent, context: Context) -> Prompted:
        from alignment.training.fitting import fit_adapter

        return fit_adapter(method, subject, respondent, context, early_stopping=early_stopping)

    return fit


sft = trained("sft", early_stopping=True)
dpo = trained("dpo")
dpo_graded = trained("dpo-graded", early_stopping=True)
ppo = trained("ppo")
epg = trained("epg", early_stopping=True)
