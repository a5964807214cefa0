"""English abbreviations, by what their period means where a sentence may end after them."""

# A sentence may end with these: the period is its own as well ("He works for Acme Inc.").
_ANY_CASE_AT_ENDS = """
    apr assn aug bancorp bhd bldg blvd bros co corp cos dec esq est etc ext feb fri inc intl jan jr
    jul jun ltd mar mon nov oct ph.d plc ppte ppty pte ptes pty ptys rd rt sep sept seq sq sr sys
    tel thu thurs tue tues univ wed
    al ala ariz calif colo conn ct dak fla ga ind kan kans ky md mich minn mo mont neb nev okla penn
    tenn va vt wis wisc wyo
"""

# The same of the names of states that are words, or parts of words, when written small.
_CAPITALISED_AT_ENDS = "Ark Az Del Ill La Mass Miss Ore Pa Tex Wash"

# Something always follows these: titles, and what stands before a name or a figure.
_BEFORE_MORE = """
    adj adm adv alex asst atty ave brig capt cf cie cmdr col cpl dept det dr drs elec ens ft gen gov
    govs hon insp invt jos lt maj messrs mfg mlle mme mr mrs ms msgr mt mtg natl pfc ph pres prof
    pvt rep reps rev sen sens sfc sgt spc st ste supt vs wm
"""

# Abbreviations before a number, words anywhere else: "no. 5", but "she says no."
_BEFORE_NUMBERS = "art ca fig figs no nos op pp prop"

# Words that begin a sentence so often that a period after initials, "in the U.S. The", ends one.
_SENTENCE_STARTERS = """
    a about according additionally after an as at but earlier he her here however if in it last many
    more mr. ms. now once one other our she since so some such that the their then there these they
    this we what when while yet you
"""


def _any_of(words: str) -> str:
    return "|".join(word.replace(".", r"\.") for word in words.split())


AT_ENDS = f"(?:(?i:{_any_of(_ANY_CASE_AT_ENDS)})|{_any_of(_CAPITALISED_AT_ENDS)})"
BEFORE_MORE = f"(?i:{_any_of(_BEFORE_MORE)})"
BEFORE_NUMBERS = f"(?i:{_any_of(_BEFORE_NUMBERS)})"
SENTENCE_STARTER = f"(?=[A-Z])(?i:{_any_of(_SENTENCE_STARTERS)})"
