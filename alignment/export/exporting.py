"""From a run and a subject to a folder that holds a model, or the little that changes one."""

from __future__ import annotations

from pathlib import Path

from alignment.export.checkpoint import family_of, refuse_what_no_checkpoint_holds, save_checkpoint
from alignment.export.condition import Found, condition_of, recorded
from alignment.export.readme import IN_TEMPLATE, README, readme
from alignment.export.vectors import VECTORS, save_vectors
from alignment.methods.registry import methods
from alignment.respondent.adapters import save_adapter
from alignment.runs.release import NOWHERE_ELSE, Moved
from papi.errors import UsageError
from papi.files import make_folder, move, remove_folder, share, write_text

PROMPT = "prompt.txt"


def export(
    run: Path,
    subject_id: str,
    out: Path,
    method: str | None = None,
    seed: int | None = None,
    *,
    small: bool = False,
    moved: Moved = NOWHERE_ELSE,
) -> list[str]:
    """Write the model of a subject into a new folder; gives what is to be said of it.

    A plain checkpoint with its tokenizer, or with `small` the vectors, the adapter and the text beside the model that
    they are for. Everything is written beside `out` and moved there at the end. Raises `UsageError` where the folder is
    there already or the method cannot be exported so, and what `recorded` and `condition_of` raise.
    """
    if out.exists():
        raise UsageError(f"{out} is there already", next_step="name a new folder")
    known = recorded(run, subject_id, method, seed, moved)
    if not small:  # what is known beforehand, before a large model is loaded
        scope, quantised = known.line.get("fit", {}).get("scope"), bool(known.frozen["model"].get("quantize"))
        refuse_what_no_checkpoint_holds(scope, quantised=quantised)
    found = condition_of(known)
    staging = out.with_name(f".{out.name}.new")
    remove_folder(staging)
    make_folder(staging)
    try:
        said, place = _save_small(found, staging) if small else _save_whole(found, staging)
        write_text(staging / README, readme(found, known.frozen, said, place))
        share(staging)
        move(staging, out)
    finally:
        remove_folder(staging)
    return said


def _save_whole(found: Found, folder: Path) -> tuple[list[str], str | None]:
    """What is to be said of a checkpoint, and where it has the condition's text."""
    text, condition, someone = _text(found), found.condition, found.respondent
    save_checkpoint(someone.model, someone.tokenizer, folder, condition.steering, condition.adapter, text)
    changed = condition.steering is not None or condition.adapter is not None
    said = [f"{found.method} as a plain checkpoint{_of_what(found)}"]
    if text is not None:
        said.append(f"the method tells the model {len(text):,} characters first: they are in the chat template now")
    if condition.steering is not None and not family_of(someone.model.config)["vllm"]:
        said.append("vLLM's own code of this type passes over the biases: vllm serve OUT --model-impl transformers")
    if changed and (dtype := str(someone.model.dtype).removeprefix("torch.")) != "float32":
        said.append(f"in {dtype} what is added is rounded once more: logits may differ by some tenths from the run's")
    return said, None if text is None else IN_TEMPLATE


def _save_small(found: Found, folder: Path) -> tuple[list[str], str | None]:
    """What is to be said of what changes the model, and where the condition's text is."""
    condition, name, said = found.condition, str(found.respondent.model.config._name_or_path), []
    if condition.steering is not None:
        about = {"method": found.method, "subject": found.subject.subject_id, "model": name, "fit": dict(condition.fit)}
        save_vectors(condition.steering, folder / VECTORS, about)
        said.append(f"{VECTORS}: alignment.export.steered_by(model, path) steers with them")
        if condition.steering.scope == "suffix":
            said.append("in the run only what follows the shared text was steered; steered_by steers every token")
    if condition.adapter is not None:
        save_adapter(condition.adapter, folder, name)
        said.append("an adapter: peft.PeftModel.from_pretrained(model, folder) puts it on")
    if (text := _text(found)) is not None:
        write_text(folder / PROMPT, text)
        said.append(f"{PROMPT}: what the method tells the model first, as the system's text")
    if not said:
        raise UsageError(f"{found.method} changes nothing for this subject, so there is nothing small to export")
    return said, None if text is None else f"It is in `{PROMPT}`."


def _text(found: Found) -> str | None:
    """What the method tells the model, unless it is the neutral text, which is about no person."""
    return None if found.condition.system == found.respondent.wording.system() else found.condition.system


def _of_what(found: Found) -> str:
    condition, method = found.condition, methods()[found.method]
    if condition.adapter is not None:
        return ", the adapter added to its weights" + (f" (seed {found.seed})" if found.seed is not None else "")
    if condition.steering is not None:
        return ", steered by biases"
    if method.is_trained:
        return ": the model itself, since the training of this subject stopped at step 0"
    return ": the model itself, since nothing was steered for this subject" if method.steers else ""
