"""What is signed of a link to a face."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from susracker.access.links import Link, PictureLinks, signed_text

links = st.builds(Link, st.text(), st.text(), st.integers())


@given(links, links)
@example(Link("a\nb", "c", 1), Link("a", "b\nc", 1))
@example(Link('a", "b', "c", 1), Link("a", 'b", "c', 1))
@example(Link("a", "b", 12), Link("a", "b1", 2))
@example(Link("", "a", 1), Link("a", "", 1))
@example(Link("\ud800", "", 1), Link("\\ud800", "", 1))
def test_no_two_links_are_signed_alike(one, other):
    assert (signed_text(one) == signed_text(other)) == (one == other)


@pytest.mark.parametrize(
    "other", [Link("a", "b\nc", 1), Link("a\nb", "c", 2), Link("A\nb", "c", 1)]
)
def test_the_signature_of_one_link_is_not_that_of_another(other):
    made = PictureLinks(b"key")
    one = Link("a\nb", "c", 1)
    assert made.is_signed(one, made.signature(one))
    assert not made.is_signed(other, made.signature(one))
