"""A canvas is used again only where nobody can notice; what it shows is what a new tensor would show."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.generative.canvas import Canvases

ROWS, WIDTH = 3, 7


def drawing(seed):
    generator = torch.Generator().manual_seed(seed)
    columns = torch.stack([torch.randperm(WIDTH, generator=generator)[: 1 + seed % WIDTH] for _ in range(ROWS)])
    return columns, torch.randn(columns.shape, generator=generator)


def plain(columns, values):
    return torch.full((ROWS, WIDTH), -torch.inf).scatter(1, columns, values)


KEEP = {
    "nothing": lambda drawn: None,
    "itself": lambda drawn: drawn,
    "a view": lambda drawn: drawn[:, 2:],
    "an array": lambda drawn: drawn.numpy(),
    "in a tuple": lambda drawn: (drawn,),
}


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(sorted(KEEP))), min_size=1, max_size=12))
def test_what_was_kept_never_changes(steps):
    canvases, kept = Canvases(), []
    like = torch.zeros(ROWS, WIDTH)
    for seed, what in steps:
        columns, values = drawing(seed)
        drawn = canvases.draw(like, columns, values)
        assert torch.equal(drawn, plain(columns, values))
        kept.append((KEEP[what](drawn), KEEP[what](plain(columns, values))))
        del drawn
    for ours, expected in kept:
        while isinstance(ours, tuple):
            (ours,), (expected,) = ours, expected
        assert ours is None or torch.equal(torch.as_tensor(ours), torch.as_tensor(expected))


def test_the_memory_of_a_tensor_that_nobody_holds_is_used_again():
    canvases, like = Canvases(), torch.zeros(ROWS, WIDTH)
    place = canvases.draw(like, *drawing(1)).data_ptr()
    assert canvases.draw(like, *drawing(2)).data_ptr() == place
    held = canvases.draw(like, *drawing(3))
    assert held.data_ptr() == place
    last = canvases.draw(like, *drawing(4))  # as in sampling: the last step's scores are still held
    assert last.data_ptr() != place
    del held
    assert canvases.draw(like, *drawing(5)).data_ptr() == place


@pytest.mark.parametrize("change", [lambda drawn: drawn.zero_(), lambda drawn: drawn[0].add_(1)])
def test_a_tensor_that_was_changed_in_place_is_not_used_again(change):
    canvases, like = Canvases(), torch.zeros(ROWS, WIDTH)
    change(canvases.draw(like, *drawing(1)))
    for seed in (2, 3):
        assert torch.equal(canvases.draw(like, *drawing(seed)), plain(*drawing(seed)))


def test_other_shapes_and_types_get_their_own():
    canvases = Canvases()
    for dtype, rows in ((torch.float32, 3), (torch.float16, 3), (torch.float32, 2), (torch.bfloat16, 2)):
        columns, values = (part[:rows] for part in drawing(4))
        drawn = canvases.draw(torch.zeros((rows, WIDTH), dtype=dtype), columns, values.to(dtype))
        assert drawn.dtype == dtype and drawn.shape == (rows, WIDTH)
        assert torch.equal(drawn.float(), plain(*drawing(4))[:rows].to(dtype).float())


def test_inference_mode_makes_a_new_one_each_time_and_leaves_none_that_is_unsafe():
    canvases, like = Canvases(), torch.zeros(ROWS, WIDTH)
    for seed in range(4):
        with torch.inference_mode(seed % 2 == 0):
            assert torch.equal(canvases.draw(like, *drawing(seed)), plain(*drawing(seed)))
