"""What the pocket respondent can read: every line of the project's prompts about simulated statements, as one token.

The tokenizer splits a text into lines (with their line breaks), the name before a statement, the beginning of an answer
and its letter; each piece is a word of the vocabulary or `<unk>`. A statement with its answer is a line, so one token.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from alignment.prompts import LETTERS, OPTIONS, ORDERS, Prompts, prompts_for, read_prompts
from alignment.questions import Question
from papi.instruments import DARK_TRIAD, IPIP_300, Instrument, instrument
from papi.statements import second_person
from papi.tables import read_csv

CONFIGS = (IPIP_300, DARK_TRIAD)  # the items of ipip-neo-120 are among those of ipip-neo-300, asked in the same words
UNKNOWN, PADDING = "<unk>", "<pad>"
SYSTEM, USER, ASSISTANT = ROLES = "<|system|>", "<|user|>", "<|assistant|>"
CLOSING = ")"  # after the letter, in answers that were given earlier in a conversation
TEMPLATE = "{%- for message in messages -%}{{ '<|' + message.role + '|>' + message.content }}{%- endfor -%}"
TEMPLATE += "{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"


@dataclass(frozen=True)
class Words:
    """The vocabulary: `ids` of all tokens, and which of them state an item: by config, (item, answer or None)."""

    ids: dict[str, int]
    statements: dict[str, dict[tuple[int, int | None], int]]


def simulated_questions(of: Instrument) -> tuple[Question, ...]:
    """The items of an instrument with the project's own statements, worded as in a simulated release."""
    if of.is_ipip:
        texts = {row["number"]: row["statement"] for row in read_csv("papi", "simulated_statements_ipip.csv")}
    else:
        texts = {row["item"]: row["statement"] for row in read_csv("papi", "simulated_statements_sd3.csv")}
    return tuple(
        Question(
            item=item.name,
            text=(text := texts[str(item.full_number) if of.is_ipip else item.name]),
            statement=second_person(text, implied_subject=of.is_ipip),
            domain=item.domain,
            facet=item.facet,
            keyed=item.keyed,
        )
        for item in of.items
    )


def all_prompts(config: str) -> tuple[Prompts, ...]:
    """The project's own texts for an instrument, in both orders of the options."""
    return tuple(prompts_for(read_prompts(config), order) for order in ORDERS)


@cache
def words() -> Words:
    """The vocabulary, sorted, so that every process numbers it alike."""
    rest = {piece for config in CONFIGS for piece in _boilerplate(config)}
    told = {config: _statement_lines(config) for config in CONFIGS}
    lines = {line for config in CONFIGS for line in told[config].values()}
    first = (PADDING, UNKNOWN, *ROLES, *LETTERS, CLOSING)
    ids = {piece: number for number, piece in enumerate((*first, *sorted((rest | lines) - set(first))))}
    return Words(ids, {config: {key: ids[line] for key, line in told[config].items()} for config in CONFIGS})


def build_tokenizer() -> PreTrainedTokenizerFast:
    """The tokenizer with its chat template, as a standard transformers object."""
    tokenizer = Tokenizer(models.WordLevel(words().ids, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = _splitter()
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in (PADDING, *ROLES)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        unk_token=UNKNOWN,
        pad_token=PADDING,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        chat_template=TEMPLATE,
    )


def save_tokenizer(folder: Path) -> None:
    """Write the tokenizer's files into a folder that is there."""
    build_tokenizer().save_pretrained(str(folder))


def _splitter() -> pre_tokenizers.PreTokenizer:
    """Lines, then what stands before a statement or a letter, then the bracket after an answer's letter."""
    names = {name for config in CONFIGS for each in all_prompts(config) for name in (_name(each), each.asked)}
    steps = [pre_tokenizers.Split("\n", "merged_with_previous")]
    steps += [pre_tokenizers.Split(name, "isolated") for name in sorted(names)]
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.Split(Regex(r"\)$"), "isolated")])


def _name(prompts: Prompts) -> str:
    """What stands before the statement on its line of the question: "Statement: "."""
    before, _, after = str(prompts.texts["question"]).partition("{statement}")
    assert after == "", "the statement stands at the end, so that the rest of a question is shared"
    return before.rpartition("\n")[2]


def _statement_lines(config: str) -> dict[tuple[int, int | None], str]:
    """Every statement alone (as it is asked) and with each answer (as it is told), by item and answer."""
    (prompts, _), questions = all_prompts(config), simulated_questions(instrument(config))
    separator = str(prompts.texts["pair_separator"])
    lines: dict[tuple[int, int | None], str] = {(i, None): each.statement for i, each in enumerate(questions)}
    for (i, each), response in product(enumerate(questions), OPTIONS):
        lines[i, response] = prompts.pairs([each], [response]) + separator
    return lines


def _boilerplate(config: str) -> set[str]:
    """All pieces of the prompts but the statements: found by splitting prompts as the tokenizer does."""
    of, splitter = instrument(config), _splitter()
    titles = [domain.title for domain in of.domains]
    texts = []
    for prompts in all_prompts(config):
        blank = Question(item="", text="", statement="", domain="", facet=None, keyed=1)
        texts += [prompts.question(blank), prompts.asked, prompts.system(), prompts.system("average_person")]
        texts.append(prompts.system("few_shot", pairs=""))
        texts += [prompts.trait_levels([(a, level), (a, level)]) for a, level in product(titles, range(5))]
    return {piece for text in texts for piece, _ in splitter.pre_tokenize_str(text)}
