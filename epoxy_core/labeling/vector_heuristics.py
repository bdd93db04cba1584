"""Ready-made heuristics on embeddings, of texts and videos alike.

All vote a class or, with `Not`, against one; ``probability`` makes the votes soft, as in `Soft`.
"""

from collections.abc import Iterable

from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.making import exactly_one, heuristic, naming
from epoxy_core.labeling.tables import refuse
from epoxy_core.labeling.vectors import NearestExample, NearPrompts
from epoxy_core.labeling.votes import Vote


def similar(
    name: str,
    vote: Vote,
    *,
    items: Iterable[str] | None = None,
    texts: Iterable[str] | None = None,
    images: Iterable[str] | None = None,
    at_least: float = 0.8,
    probability: float | None = None,
) -> LabelingFunction:
    """Vote ``vote`` where the item is like one of the examples, within a radius.

    Parameters
    ----------
    items, texts, images
        Exactly one: ids of items; texts, for an encoder that reads texts; image files in the task
        folder, for one that sees images.
    at_least
        The least cosine to the nearest example, from −1 to 1.

    Raises
    ------
    EpoxyError
        If a setting is out of range. Where votes are made, an unknown item, a broken image, or an
        encoder that cannot encode the examples is an error of every item.
    """
    with naming(name):
        exactly_one(items=items, texts=texts, images=images)
        given = {"items": items, "texts": texts, "images": images}
        chosen = {
            field: _texts(value, field) for field, value in given.items() if value is not None
        }
        _check_cosine(at_least, "at_least")
    ((field, examples),) = chosen.items()
    return heuristic(
        name,
        vote,
        probability,
        NearestExample(float(at_least), **chosen),
        f"at least {at_least:g} like any of the {field}: {', '.join(examples)}",
        chosen.get("images", ()),
        "vector_heuristic",
    )


def prompts(
    name: str,
    vote: Vote,
    prompts: Iterable[str],
    *,
    against: Iterable[str] | None = None,
    margin: float = 0.0,
    at_least: float | None = None,
    probability: float | None = None,
) -> LabelingFunction:
    """Vote ``vote`` where the item is described by the prompts: zero-shot.

    Needs an encoder that reads texts in the space of the items; not every checkpoint for images
    has that tower.

    Parameters
    ----------
    prompts
        Descriptions of the class; the mean of their vectors counts (Radford et al. 2021, CLIP,
        section 3.1.4: prompt ensembling).
    against
        Descriptions of everything else; the best one counts.
    margin
        By how much the cosine to ``prompts`` must exceed that to the best of ``against``.
    at_least
        The least cosine to ``prompts``; with or instead of ``against``.

    Raises
    ------
    EpoxyError
        If a setting is out of range. Where votes are made, an encoder that reads no text is an
        error of every item.
    """
    with naming(name):
        chosen = _texts(prompts, "prompts")
        others = () if against is None else _texts(against, "against")
        if not others and at_least is None:
            refuse("neither `against` nor `at_least` is given", "Give one or both.")
        if not others and margin:
            refuse("`margin` compares with `against`, which is not given", "Use `at_least`.")
        both = set(chosen) & set(others)
        if both:
            refuse(f"{sorted(both)[0]!r} is in `prompts` and in `against`", "Keep one.")
        if at_least is not None:
            _check_cosine(at_least, "at_least")
        if not isinstance(margin, int | float) or not -2 <= margin <= 2:
            refuse(f"`margin` is {margin!r}", "It is a difference of cosines, such as 0.02.")
    least = None if at_least is None else float(at_least)
    rather = f" rather than: {', '.join(others)}" if others else ""
    return heuristic(
        name,
        vote,
        probability,
        NearPrompts(chosen, others, float(margin), least),
        f"looks like: {', '.join(chosen)}{rather}",
        kind="vector_heuristic",
    )


def _texts(given: Iterable[str], field: str) -> tuple[str, ...]:
    """The different ones, sorted: their order changes no vote."""
    if isinstance(given, str):
        refuse(f"`{field}` is one text, not a list", f"Write {field}=[{given!r}].")
    texts = list(given)
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            refuse(f"{text!r} in `{field}` is not a text", "List non-empty texts.")
    if not texts:
        refuse(f"`{field}` is empty", "List one at least.")
    return tuple(sorted(set(texts)))


def _check_cosine(value: float, field: str) -> None:
    if not isinstance(value, int | float) or not -1 <= value <= 1:
        refuse(f"`{field}` is {value!r}", "It is a cosine, from -1 to 1.")
