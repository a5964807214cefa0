"""STUB."""
from dataclasses import dataclass
from functools import cached_property
import torch
from unrolled.metrics import caption_words
from unrolled.world.scenes import SceneWorld
from unrolled.tasks.video_preprocessing import Preprocessing
from unrolled.tasks.captioning_vocabulary import CaptionVocabulary
@dataclass
class Item:
    name: str; captions: tuple; objects: object; digest: str
class CaptioningData:
    rejected = (); notices = ()
    def __init__(self, options, films):
        self.world = SceneWorld(height=options.height, width=options.width)
        self.films = films
        self.options = options
        n = options.scenes
        self.items=[]; self._pix=[]; self.scenes=[]
        for i in range(n):
            s = self.world.film(i) if films else self.world.scene(i)
            self.scenes.append(s)
            self._pix.append(torch.from_numpy((s.frames if films else s.pixels).copy()))
            self.items.append(Item(f"scene {i}", s.captions, None if films else s.objects, str(i)))
        a, b = int(.8*n), int(.9*n)
        self.parts = {"train": list(range(a)), "valid": list(range(a,b)), "test": list(range(b,n))}
        self.total = n
        self.vocabulary = CaptionVocabulary(["<start>","<end>","<unk>",*self.world.words])
        self.preprocessing = Preprocessing(options.height, options.width)
    def pixels(self, i): return self._pix[i]
    def tokens(self, vocabulary, max_words):
        return [[vocabulary.encode(w[:max_words])+[vocabulary.end] for w in caption_words(it.captions)] for it in self.items]
    def judged(self, numbers, best):
        return tuple(self.scenes[n].accepts(c) for n, c in zip(numbers, best))
def read_captioning_data(source, options, *, films): return CaptioningData(options, films)
