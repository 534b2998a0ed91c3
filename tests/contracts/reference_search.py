"""The slow reference of search, the pages that are searched, and the queries that are asked."""

from hypothesis import strategies as st

from storage.catalogue import segment
from storage.catalogue.query import Not, Or, Query, Term

HAN = "客户名单戶單發发髮𠮷䲜"
PIECES = st.sampled_from(
    [*HAN, "客户", "名单", "list", "Lists", "listing", "ab", "ＡＢ", "12", "１２", "x1", "an"]
)
GAPS = st.sampled_from(["", "", "", " ", "\n", "，", ",", "-", "/", "。", "\u200b", "'", '"'])
PAGES = st.lists(st.tuples(PIECES, GAPS), max_size=9).map(lambda some: "".join(map("".join, some)))
CORPORA = st.lists(PAGES, min_size=1, max_size=6)
WORDS = st.lists(PIECES, min_size=1, max_size=3).map("".join)
PHRASES = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", ",", "-"])), min_size=1, max_size=3)
LEAVES = st.one_of(
    WORDS, PHRASES.map(lambda some: f'"{"".join(map("".join, some))}"'), st.just('"，"')
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" ", " AND ", " OR "]), inner).map(
            lambda each: f"({each[0]}{each[1]}{each[2]})"
        ),
        inner.map(lambda each: f"NOT {each}"),
    ),
    max_leaves=5,
)


def holds(page: str, query: Query) -> bool:
    """Whether a page answers a query, by walking its units."""
    if isinstance(query, Term):
        have = segment.units(page)
        want = list(query.units)
        if not query.exact:
            have, want = segment.stemmed(have), segment.stemmed(want)
        return any(have[at : at + len(want)] == want for at in range(len(have)))
    if isinstance(query, Not):
        return not holds(page, query.part)
    found = [holds(page, part) for part in query.parts]
    return any(found) if isinstance(query, Or) else all(found)
