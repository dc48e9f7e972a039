"""Names, numbers and words on the command line that cannot be."""

from collections.abc import Sequence

from faults.case import CHEAP, Case, shop

LONG, MANY_DIGITS = "x" * 300, "9" * 5000


def words(title: str, *options: str, says: str, code: int = 2) -> Case:
    """A run of the shop with these options, planned."""
    return Case(title, ("run", "--dataset", "shop", *CHEAP, "--dry-run", *options), code, says, shop({}))


def setting(title: str, text: str, says: str, method: str = "rqvae") -> Case:
    """A setting that is refused."""
    return words(f"set: {title}", "--methods", method, "--set", text, says=says)


def label(title: str, text: str, says: str = "label") -> Case:
    """A label that is refused."""
    return words(f"label: {title}", "--methods", f"{text}=random", says=says)


def demo(title: str, options: Sequence[str], says: str) -> Case:
    """An option of a generated data set that is refused."""
    spec = f"planted:{','.join(options)}"
    return Case(f"planted: {title}", ("data", "stats", spec), 2, says, absent=("runs/.cache/planted",))


CASES = [
    setting("infinite", "rqvae.training.learning_rate=inf", r"learning_rate.*finite"),
    setting("not a number", "rqvae.training.learning_rate=nan", r"learning_rate.*finite"),
    setting("too many digits", f"rqvae.levels={MANY_DIGITS}", "rqvae.levels"),
    setting("1e999", "rqvae.training.epochs=1e999", "epochs.*finite"),
    setting("negative", "rqvae.codebook_size=-5", "codebook_size.*greater"),
    setting("zero", "rqvae.training.batch_size=0", "batch_size.*greater"),
    setting("a billion words", "generative.scratch.vocabulary_size=1000000000", "vocabulary_size.*less", "random"),
    setting("a billion layers", "generative.items.layers=1000000000", "layers.*less", "random"),
    setting("a width of 2 billion", "generative.decoder.width=2000000000", "width.*less", "random"),
    setting("a batch of 2 billion", "generative.search.batch_size=2000000000", "batch_size", "random"),
    setting("a list, nested 100,000 deep", "rqvae.hidden=" + "[" * 100_000, "rqvae.hidden.*nested"),
    setting("a list, not closed", "rqvae.hidden=[1,2", "rqvae.hidden.*JSON"),
    setting("a list of negative numbers", "rqvae.hidden=[-1]", "rqvae.hidden"),
    setting("a list of infinities", "rqvae.hidden=[Infinity]", "rqvae.hidden"),
    setting("a list of 10,000 layers", f"rqvae.hidden={[8] * 10_000}".replace(" ", ""), "rqvae.hidden"),
    setting("an object for a number", 'rqvae.levels={"a": 1}', "rqvae.levels"),
    setting("a number for a section", "rqvae.training=5", "rqvae.training"),
    setting("an object for a section", 'rqvae.training={"stpes": 5}', "rqvae.training.stpes.*steps"),
    setting("a misspelt key", "rqvae.level=3", "rqvae.level.*levels"),
    setting("a key too deep", "rqvae." + "a." * 5000 + "b=1", "not a valid key"),
    setting("no key", "rqvae.=1", "not a valid key"),
    setting("no value", "rqvae.levels", "LABEL.KEY=VALUE"),
    setting("an empty value", "rqvae.levels=", "rqvae.levels"),
    setting("no label", "levels=3", "LABEL.KEY=VALUE"),
    setting("another label", "rqvea.levels=3", "rqvea.*rqvae"),
    setting("a word for a choice", "rqvae.update=sometimes", "rqvae.update"),
    setting("an escape sequence", "rqvae.update=\x1b[31mred", "rqvae.update"),
    setting("a key with an escape sequence", "rqvae.\x1b[31m=1", "rqvae"),
    setting("a codebook larger than the catalogue", "rqvae.codebook_size=4096", "rqvae.codebook_size.*40"),
    label("300 characters", LONG),
    label("a tab", "a\tb"),
    label("a newline", "a\nb"),
    label("an escape sequence", "\x1b[31mred"),
    label("text from right to left", "a\u202eb"),
    label("a slash", "../../up"),
    label("a dot", "a.b"),
    label("none", ""),
    label("the shared part's name", "generative"),
    words("a label twice", "--methods", "random,random", says="twice"),
    words("an unknown method", "--methods", "rqvea", says="rqvae"),
    words("a method of 300 characters", "--methods", LONG, says="label"),
    words("no method", "--methods", ",", says="name"),
    words("seeds: negative", "--methods", "random", "--seeds=-1", says="--seeds"),
    words("seeds: beyond 32 bits", "--methods", "random", "--seeds", "4294967296", says="--seeds"),
    words("seeds: too many digits", "--methods", "random", "--seeds", MANY_DIGITS, says="--seeds"),
    words("seeds: words", "--methods", "random", "--seeds", "a,b", says="--seeds"),
    words("an unknown task", "--methods", "random", "--tasks", "serach", says="search"),
    words("an unknown preset", "--methods", "random", "--preset", "huge", says="huge"),
    words("an unknown device", "--methods", "random", "--device", "abacus", says="abacus"),
    words("an unknown text field", "--methods", "random", "--text-fields", "titel", says="titel"),
    words("unknown queries", "--methods", "random", "--queries", "none", says="none"),
    words("an unknown option", "--methods", "random", "--sets", "a", says="unrecognized|--sets"),
    words("a surrogate", "--methods", "\udcff", says="label"),
    demo("a billion items", ["items=1000000000"], "items.*less"),
    demo("negative items", ["items=-1"], "items.*greater"),
    demo("infinite noise", ["noise=inf"], "noise.*finite"),
    demo("a seed of 5,000 digits", [f"seed={MANY_DIGITS}"], "longer"),
    demo("no value", ["items"], "KEY=VALUE"),
    demo("a misspelt option", ["itmes=100"], "items"),
    Case("an unknown command", ("rnu",), 2, "run"),
    Case("a command with an escape sequence", ("\x1b[31mrun",), 2, "unknown command"),
    Case("an unknown name to show", ("show", "rqvea"), 2, "rqvae"),
    Case("an unknown bench", ("bench", "kmaens"), 2, "kmeans"),
]
