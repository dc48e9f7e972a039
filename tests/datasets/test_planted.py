"""The planted data sets: the hierarchy is where it was put, and only there."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_mutual_info_score

from benchmark.cli.main import main
from benchmark.data.dataset import Dataset, open_dataset
from benchmark.data.splits import leave_one_out
from benchmark.datasets.planted import Demo, Planted
from benchmark.datasets.planted.catalogue import Catalogue, PlantedConfig, leaves_of, lexicon
from benchmark.errors import ConfigError
from benchmark.types.data import Corpus


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Dataset:
    return open_dataset("demo", cache=tmp_path_factory.mktemp("cache"))


def tokens(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def judged(dataset: Dataset, split: str) -> list[tuple[str, set[int]]]:
    queries = dataset.queries("judged", split)
    assert queries is not None
    relevant: list[set[int]] = [set() for _ in queries.ids]
    for query, item in zip(queries.query_rows.tolist(), queries.item_rows.tolist(), strict=True):
        relevant[query].add(item)
    return list(zip(queries.texts, relevant, strict=True))


def test_the_demo_has_the_promised_size_and_shape(demo):
    counts = demo.counts()
    assert (counts["items"], counts["users"], counts["distinct labels"]) == (800, 1000, 48)
    assert demo.warnings == [] and demo.default_queries == "judged"
    assert {len(path) for path in demo.corpus().paths} == {3}
    lengths = demo.histories().lengths
    assert lengths.min() >= 5 and lengths.mean() == pytest.approx(8, abs=0.3)


def test_the_full_lexicon_has_128_different_sub_categories():
    paths = [leaf.path for leaf in leaves_of(lexicon(), PlantedConfig())]
    assert len(set(paths)) == len({path[-1] for path in paths}) == 128
    assert len({path[:2] for path in paths}) == 32 and len({path[0] for path in paths}) == 8


def test_no_text_holds_its_category_path(demo):
    corpus = demo.corpus()
    for text, path in zip(corpus.texts(), corpus.paths, strict=True):
        assert path[0].lower() not in text.lower()
        assert not any(separator.join(path).lower() in text.lower() for separator in (", ", " > ", " "))


def test_siblings_share_more_words_than_strangers(demo):
    """Jaccard overlap of the vocabularies falls with the distance in the tree: leaf, category, department, none."""
    corpus = demo.corpus(("title", "description"))
    random = np.random.default_rng(0)
    overlap: dict[int, list[float]] = {0: [], 1: [], 2: [], 3: []}
    words = [tokens(text) for text in corpus.texts()]
    for a, b in random.integers(len(corpus), size=(30_000, 2)):
        shared = sum(x == y for x, y in zip(corpus.paths[a], corpus.paths[b], strict=True))
        if a != b:
            overlap[shared].append(len(words[a] & words[b]) / len(words[a] | words[b]))
    means = [float(np.mean(overlap[shared])) for shared in range(4)]
    assert means == sorted(means) and means[3] > means[2] + 0.05 and means[1] > means[0]


def test_word_clusters_find_the_labels_well_but_not_perfectly_and_noise_hides_them(demo, tmp_path):
    def agreement(corpus: Corpus) -> float:
        vectors = TfidfVectorizer(min_df=2, stop_words="english").fit_transform(corpus.texts(("title", "description")))
        labels = [" > ".join(path) for path in corpus.paths]
        clusters = KMeans(len(set(labels)), n_init=2, random_state=0).fit_predict(vectors)
        return float(adjusted_mutual_info_score(labels, clusters))

    noise = agreement(open_dataset("demo:noise=1", cache=tmp_path).corpus())
    assert noise < 0.25 < 0.4 < agreement(demo.corpus()) < 0.95


def test_query_words_for_things_occur_in_no_item(demo):
    in_items = {word for text in demo.corpus().texts() for word in tokens(text)}
    leaves = leaves_of(lexicon(), PlantedConfig())
    others = {word for leaf in leaves for part in leaf.also for word in part}
    of_items = {
        word
        for leaf in leaves
        for word in tokens(" ".join((*leaf.nouns, *leaf.own, *leaf.category, *leaf.department, *leaf.finishes)))
    }
    assert not others & in_items and not others & of_items
    assert all(tokens(text) & others for text, _ in judged(demo, "test"))


def test_relevant_are_all_items_of_one_leaf_with_the_attributes_asked_for(demo):
    corpus, lines = demo.corpus(), lexicon()
    colours = set(lines["colours"].split())
    leaves = {leaf.path: leaf for leaf in leaves_of(lines, PlantedConfig())}
    titles = [tokens(text) for text in corpus.texts(("title",))]
    for text, relevant in judged(demo, "test"):
        (path,) = {corpus.paths[row] for row in relevant}
        asked = tokens(text) & (colours | set(leaves[path].finishes))
        expected = {row for row, other in enumerate(corpus.paths) if other == path and asked <= titles[row]}
        assert relevant == expected
        assert tokens(text) - asked <= {word for part in leaves[path].also for word in part}


def test_no_query_text_occurs_in_two_splits_or_twice(demo):
    texts = [text for split in ("train", "dev", "test") for text, _ in judged(demo, split)]
    assert len(texts) == len(set(texts)) == 4_400


def test_fewer_training_queries_than_asked_for_are_counted_where_the_statistics_show_it(tmp_path, capsys):
    few = "planted:items=100,departments=1,categories=1,leaves=1,users=5,queries=10,train_queries=9000"
    assert main(["data", "stats", few, "--runs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    made = len(judged(open_dataset(few, cache=tmp_path / ".cache"), "train"))
    assert f"judged train queries {made:,}," in shown and made < 9000
    assert f"note: {made:,} training queries, not 9,000: so many of those drawn differ" in shown
    assert main(["data", "stats", few.replace("9000", "20"), "--runs", str(tmp_path)]) == 0
    assert "note:" not in capsys.readouterr().out


def test_users_stay_near_and_the_companion_often_comes_next(demo):
    """The last training transition predicts the test item far better than popularity does."""
    histories, n = demo.histories(), len(demo.corpus())
    split = leave_one_out(histories)
    follows = np.zeros((n, n))
    for user in range(len(histories)):
        np.add.at(follows, (split.train[user][:-1], split.train[user][1:]), 1)
    popularity = np.bincount(split.train.items, minlength=n)
    last = split.test_inputs.items[split.test_inputs.offsets[1:] - 1]

    def recall(scores: np.ndarray) -> float:
        best = np.argsort(-scores, axis=1)[:, :10]
        return float((best == split.test_targets[:, None]).any(axis=1).mean())

    popular = recall(np.tile(popularity, (len(histories), 1)))
    assert 10 / n < popular < 0.1 < 0.3 < recall(follows[last] * 1000 + popularity)


def test_the_same_options_give_the_same_bytes_and_another_seed_others(tmp_path):
    def files(name: str, **options: int) -> dict[str, bytes]:
        folder = tmp_path / name
        folder.mkdir()
        Planted(PlantedConfig(items=300, users=50, queries=20, train_queries=100, **options)).build(folder)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    first = files("first")
    assert first == files("second")
    assert all(first[name] != content for name, content in files("third", seed=2).items())
    assert Planted(PlantedConfig(seed=2)).key() != Planted(PlantedConfig()).key() != Demo().key()


def test_the_title_says_what_was_set(tmp_path):
    cache = tmp_path / "cache"
    titles = [open_dataset(name, cache=cache).title for name in ("planted:items=128", "planted:items=128,noise=0.3")]
    assert titles[0] == "Planted hierarchy (128 items, seed 1)"
    assert titles[1] == "Planted hierarchy (128 items, seed 1, noise=0.3)"


def test_every_sub_category_has_an_item_even_in_the_smallest_catalogue():
    assert len(np.unique(Catalogue(PlantedConfig(items=128)).leaf)) == 128
    with pytest.raises(ConfigError, match="items: there are 128 sub-categories to fill"):
        Catalogue(PlantedConfig(items=100))


def test_a_large_catalogue_asks_for_more_attributes(tmp_path: Path):
    dataset = open_dataset("planted:items=60000,users=20,queries=50,train_queries=50", cache=tmp_path)
    sizes = [len(relevant) for _, relevant in judged(dataset, "test")]
    assert np.mean(sizes) < 50 and min(sizes) >= 1
