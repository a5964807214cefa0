"""STUB."""
import json
from unrolled.errors import ReaderError
from unrolled.metrics import caption_words
class CaptionVocabulary:
    def __init__(self, entries):
        self.entries = tuple(entries)
        self.places = {w: i for i, w in enumerate(self.entries)}
    start, end, unk = 0, 1, 2
    def __len__(self): return len(self.entries)
    def words_of(self, ids): return [self.entries[i] for i in ids]
    def encode(self, words): return [self.places.get(w, 2) for w in words]
    def save(self, folder): (folder / "vocabulary.json").write_text(json.dumps(self.entries))
    @classmethod
    def load(cls, folder):
        p = folder / "vocabulary.json"
        if not p.exists(): raise ReaderError(f"a vocabulary in {p}", "nothing there")
        return cls(json.loads(p.read_text()))
