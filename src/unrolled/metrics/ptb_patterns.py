"""The conventions of the Penn Treebank, one pattern each, in the order they are tried."""

from unrolled.metrics.abbreviations import AT_ENDS, BEFORE_MORE, BEFORE_NUMBERS, SENTENCE_STARTER

# A letter, of any script and with its accents, is what is no blank, no digit and no sign. Taken
# from the rest, because Python's \w lacks the vowel signs of many scripts, and has superscripts.
_SIGNS_BUT_STOPS = (  # without the comma and the period
    r"\s\x00-+\-/:-@\[-`{-\x9f\u00a0-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u060c\u061b\u061f\u0964\u0965\u2000-\u20cf\u2150-\u215f\u2190-\u2bff\u3000-\u3004"
    r"\u3008-\u3020\ud800-\uf8ff\ufe00-\ufe0f\ufff0-\uffff\U0001f000-\U0001ffff"
)
_SIGNS = rf"{_SIGNS_BUT_STOPS},."
_LETTER = rf"[^{_SIGNS}0-9]"
_ALNUM = rf"[^{_SIGNS}]"
_ALNUM_OR_STOP = rf"[^{_SIGNS_BUT_STOPS}]"
_QUOTE = r"['\u2019]"
_ADDRESS = r'[^\s"<>|(){}]'
_PAGE = rf"/{_ADDRESS}{{2,}}(?<![.,!?-])"
_PATH = r"[A-Za-z0-9]+(?:-[A-Za-z][A-Za-z0-9]*)*"
_CLITIC = rf"{_QUOTE}(?i:s|m|d|ll|re|ve)(?![A-Za-z])"
_MARKUP_NAME = r"[A-Za-z][\w.:@-]*"
_MARKUP_OPTION = r"\s+[\w:-]+(?:=(?:\"[^\"]*\"|'[^']*'))?"
_FILE_ENDINGS = (
    "bat|bmp|docx?|exe|gif|gz|html?|jpe?g|mov|mp3|pdf|php|png|ppt|py|tar|txt|wav|xml|zip"
)
# Where a word is over, though not before its clitic, and is no part of "and/or" or of a name.
_OVER = rf"(?!{_ALNUM}|[-_/@]{_ALNUM}|[.!?]{_LETTER}|\.[,;:]|{_CLITIC})"
_MARKUP = rf"</{_MARKUP_NAME}>|<{_MARKUP_NAME}(?:{_MARKUP_OPTION})*\s*/?>|<[!?][^<>]*>"
# What comes after initials where they end a sentence, and after an abbreviation that may end one.
_NEW_SENTENCE = rf"(?:\s+(?:{SENTENCE_STARTER}(?!\S)|{_MARKUP})|\s*$)"
_CAPITAL = rf"(?:\s+(?:[A-Z\u00c0-\u00d6\u00d8-\u00de]|{_MARKUP})|\s*$)"
_TWO_WORDS = r"(?i:cannot|go(?:nna|tta)|wanna|gimme|lemme)(?![A-Za-z])"

# A pattern relies on those above it having failed; its name tells how its tokens are written.
PATTERNS: dict[str, str] = {
    # words, commas and periods between blanks, as many as there are: all of most captions
    "plain": rf"(?:(?:(?!{_TWO_WORDS})[A-Za-z]+(?!\S)|,|\.(?!\s+\.))(?:\s+|$))+",
    # the word before the last period, or before a comma: "dog" of "A dog."
    "before_stop": rf"(?!{_TWO_WORDS}|(?:{AT_ENDS}|{BEFORE_MORE})\.)[A-Za-z]{{2,}}(?=\.$|,\s)",
    # a character by its name in HTML: "&amp;"
    "entity": r"&(?i:amp|apos|lt|gt|nbsp|mdash|ndash);",
    # "<br />", "</b>", '<a href="x">'
    "markup": _MARKUP,
    # "http://example.org/x?y=1", without the punctuation after it
    "address": rf"https?://{_ADDRESS}+\.{_ADDRESS}+(?<![.,!?-])",
    # "www.example.org", "example.com/page"
    "site": rf"www\.(?:[\w-]+\.)+[a-z]{{2,4}}(?:{_PAGE})?{_OVER}"
    rf"|(?:{_LETTER}+\.)+(?:com|edu|net|org){_PAGE}",
    # "bob@example.com"
    "mail": r'(?:<(?=[^\s<>]+>))?[A-Za-z0-9][^\s"<>|(){}@]{0,63}@(?!\.)' + rf"{_ADDRESS}+(?<!\.)>?",
    # ":)", ";-D", "^_^"
    "face": r"[<>]?[:;=][-o'*]?[][(){}DPp\\|@Od](?![A-Za-z0-9])|\^_\^",
    # "(555) 123-4567"
    "telephone": r"\(\d{3}\)[ ]?\d{3}[- .]\d{4}(?!\d)",
    # two words written as one, the first: "can not", "gon na", "gim me"
    "fused": rf"(?i:can(?=not{_OVER})|(?:gon|wan)(?=na{_OVER})|got(?=ta{_OVER})"
    rf"|(?:gim|lem)(?=me{_OVER}))",
    # the verb before a negation: "do" of "don't", "ca" of "can't"
    "negated": rf"[A-Za-z]*[A-MO-Za-mo-z](?=[nN]{_QUOTE}[tT])",
    # "n't"
    "negation": rf"[nN]{_QUOTE}[tT](?!{_LETTER})",
    # an apostrophe inside a word: "o'clock", "O'Neil", "ma'am", "c'mon"
    "apostrophe": rf"[A-HJ-XZdnol](?!{_CLITIC}){_QUOTE}{_LETTER}{_ALNUM}+(?:-{_ALNUM}+)*"
    rf"|[A-Za-z]+[AEIOUYaeiouy](?!{_CLITIC}){_QUOTE}[A-Zaeiou]{_LETTER}*"
    rf"|(?i:e{_QUOTE}er|c{_QUOTE}(?:mon|est)|s{_QUOTE}mores|nor{_QUOTE}easter|cap{_QUOTE}n)",
    # a word that has lost its end: "ol'", "somethin'", "y'" of "y'all", "d'"
    "cut_short": rf"(?i:(?:ol|dunkin|somethin)(?!{_CLITIC}){_QUOTE}"
    rf"|[jy]{_QUOTE}(?={_LETTER}{{2}})|y{_QUOTE}(?={_LETTER})|[dlj]{_QUOTE}(?!{_LETTER}))",
    # a word that has lost its beginning: "'em", "'til", "'n'"; "'t" of "'tis"
    "headless": r"(?i:'em|'till?|'cause|'t(?=is|was))"
    rf"|{_QUOTE}[Nn](?:{_QUOTE}|(?!{_ALNUM}|[-.,]))",
    # "'s", "'ll"
    "clitic": _CLITIC,
    # "the '90s", "in '98"
    "year": rf"{_QUOTE}\d\d(?:s|(?!\S))",
    # names of companies: "AT&T"
    "ampersand": r"[A-Z]+(?:(?:&(?:amp;)?|\+)[A-Z]+)+",
    # "US$"
    "dollar": r"[A-Z]*\$",
    # languages: "C#", "c++"
    "language": r"[CFcf]#|[Cc]\+\+",
    # "and/or", "1/2", "12/25/2010"
    "alternatives": rf"(?:\d+-\d+|{_PATH})(?:/{_PATH}){{1,2}}",
    # "3-year-old", "U.S.-based", "2,000-seat"
    "compound": rf"(?:{_ALNUM}{_ALNUM_OR_STOP}{{0,99}}-|{_ALNUM}+_){_ALNUM}+"
    rf"(?:[-_]{_ALNUM}+)*(?:\.(?=[,;:]))?",
    # "pro-" before "and anti-war"
    "prefix": r"(?i:pro)-(?!\S)",
    # "U.S.", "p.m.": where a sentence ends, and where it goes on
    "initials_at_end": rf"[A-Za-z](?:\.[A-Za-z])+\.(?={_NEW_SENTENCE})",
    "initials": rf"[A-Za-z](?:\.[A-Za-z])+\.(?!{_LETTER})",
    # "example.com"
    "dotted": rf"(?!(?i:ph\.d)\.){_LETTER}{_ALNUM}*(?:[.!?]{_LETTER}{_ALNUM}*)+(?:\.(?=[,;:]))?",
    # "photo5.jpg"
    "file": rf"{_ALNUM}(?:{_ALNUM}|\.)*\.(?i:{_FILE_ENDINGS})(?!{_ALNUM})",
    # "J." of "J. Smith"
    "initial": rf"[A-Za-z]\.(?!{_LETTER}|{_NEW_SENTENCE})",
    # "etc.": where a sentence ends, and where it goes on; "Mr."; "no. 5"; "co-op.,"
    "abbreviation_at_end": rf"{AT_ENDS}\.(?={_CAPITAL})",
    "abbreviation": rf"(?:{AT_ENDS}|{BEFORE_MORE})\.|{BEFORE_NUMBERS}\.(?=\s?\d)"
    rf"|{_ALNUM}+\.(?=[,;:])",
    # "1,000.50", "10:30", "-5", ".5"
    "number": r"[-+]?(?:\d+|[.,:]\d+)(?:[.,:]\d+)+|[-+]?[.,:]\d+|[-+]\d+",
    # "dog", "4th", "mp3"
    "word": rf"{_ALNUM}+",
    # "#sunset", "@home"
    "tag": rf"#{_LETTER}+|@[A-Za-z][A-Za-z0-9_]*",
    # ". . ." and "...."; "--" and what else is written so
    "ellipsis": r"\.(?:\ \.){2,4}|\.{3,5}|\u2026",
    "dash": r"-{2,4}(?!-)|[\u2013\u2014\u2015\x96\x97]",
    # "?!", "***"
    "run": r"-{5,}|[!?]+|\*+|\#+|@+|_+|<<|>>",
    # quotation marks: what stands after one tells whether it opens
    "double_open": r'(?:"|&quot;)(?=[A-Za-z0-9$])|``|[\u201c\u00ab\x93]|\u2018\u2018',
    "double_close": r"\"|&quot;|''|[\u201d\u00bb\x94]|\u2019\u2019",
    "single_open": r"'(?=[A-Za-z]\S)|`|[\u2018\u201b\u2039\x91]",
    "single_close": r"['\u2019\u203a\x92]",
    # "(", and every other sign by itself
    "sign": r"\S",
}
