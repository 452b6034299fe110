"""What is the same to who searches, script by script: the table that says what search in "any script" means.

A row that is not found has its reason: another word, or work for a dictionary that Klatsch does not have.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """``asked`` finds the message ``said``, or does not."""

    script: str
    said: str
    asked: str
    found: bool
    why: str = ""


def _rows(script: str, *rows: tuple[str, str, bool] | tuple[str, str, bool, str]) -> list[Row]:
    return [Row(script, *row) for row in rows]


_ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
_SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

ROWS = [
    *_rows(
        "Latin",
        ("Das Café hat auf", "cafe", True), ("cafe\u0301s und cafe\u0301", "CAFÉ ", True),
        ("Die Straße!", "STRASSE ", True), ("STRAẞE", "strasse ", True),
        ("Donau\u00addampf\u00adschiff", "Donaudampfschiff ", True, "soft hyphens"),
        ("Donau\u200bdampf\u2060schiff", "Donaudampfschiff ", True, "zero width space, word joiner"),
        ("Donaudampfschiff", "Donau\u00addampfschiff ", True), ("right\u200eto\u200fleft", "righttoleft ", True),
        ("tôi được", "duoc ", True, "Vietnamese, as typed without marks"),
        ("Hà Nội, Đà Nẵng", "ha noi da nang ", True), ("Łódź", "lodz ", True), ("Smørrebrød", "smorrebrod ", True),
        ("Ħal Qormi, għajn", "hal ghajn ", True), ("Ŧávvá đuohki", "tavva duohki ", True),
        ("ISPARTA", "ısparta ", True, "Turkish"), ("Isparta, ılık", "isparta ilik ", True),
        ("İstanbul", "istanbul ", True), ("Diyarbakır", "DIYARBAKIR ", True),
        ("Þórður, Ísafjörður", "thordur isafjordur ", True), ("œuvre, Ægir", "oeuvre aegir ", True),
        ("ɓera, ƙarfe", "bera karfe ", True, "Hausa"), ("ﬁle ＡＢＣ", "file abc ", True),
        ("𝐁𝐨𝐥𝐝 𝔉raktur", "bold fraktur ", True), ("ſüß", "SÜSS ", True), ("Hawaiʻi", "Hawaii ", True),
        ("l'eau, l’air", "eau air ", True),
        ("Müller", "mueller ", False, "German only: u and ue are two spellings"),
        ("Straßenbahn", "bahn ", False, "the end of a word: a dictionary's work"), ("rød grød", "rad ", False),
        ("x² ① Ⅳ", "x2 1 iv ", True), ("2\u20e3 1\ufe0f\u20e3", "2 1 ", True, "keycaps"),
    ),
    *_rows("Greek", ("Η ΟΔΌΣ μου", "οδος ", True), ("Ἀθῆναι", "αθηναι ", True), ("μέλι", "μήλα ", False)),
    *_rows(
        "Cyrillic",
        ("Новогодняя ЁЛКА", "елка ", True), ("Київ, їжак", "киів іжак ", True),
        ("ґанок", "ганок ", True, "Ukrainian"), ("мʼята, м’ята", "м'ята ", True, "an apostrophe is one, whichever"),
        ("Қазақстан, ұлт", "казакстан үлт ", True, "Kazakh"), ("за\u0301мок", "замок ", True, "a stress mark"),
        ("мир", "мыр ", False),
    ),
    *_rows(
        "Arabic",
        ("قال مَرْحَبًا بكم", "مرحبا ", True, "vowels"), ("كـــتـاب", "كتاب ", True, "tatweel"),
        ("كتاب", "كـتـاب ", True), ("ٱلكتاب", "الكتاب ", True, "alef wasla"),
        ("أحمد إلى آخر", "احمد الى اخر ", True, "hamza"), ("مدرسة", "مدرسه ", True, "teh marbuta"),
        ("مستشفى", "مستشفي ", True, "alef maqsura"), ("ﻣﺮﺣﺒﺎ", "مرحبا ", True),
        ("سنة ٢٠٢٤", "2024 ", True, "digits"), ("كتاب", "كاتب ", False),
        ("الكتاب", "كتاب ", False, "the article is a part of it"),
    ),
    *_rows(
        "Arabic (Persian, Urdu)",
        ("می\u200cخواهم", "میخواهم ", True, "non-joiner"), ("میخواهم", "می\u200cخواهم ", True),
        ("كتاب علي", "کتاب علی ", True, "an Arabic keyboard"), ("سال ۱۴۰۳", "1403 ", True),
        ("وہ گھر ہے", "ه گهر ", False, "another letter: two-eyed heh"), ("وہ", "وه ", True),
    ),
    *_rows(
        "Hebrew",
        ("אמר שָׁלוֹם לכולם", "שלום ", True, "points"), ("בית־ספר", "בית ספר ", True, "maqaf"),
        ("שלום", "שלומ ", False),
    ),
    *_rows(
        "Devanagari",
        ("मैं हिन्दी बोलता", "हिन्दी ", True), ("क्\u200dष", "क्ष ", True, "joiner"),
        ("ज़रूर", "जरूर ", True, "nukta"), ("कि", "की ", False, "another vowel"), ("२०२४", "2024 ", True),
        ("हिन्दी", "हिंदी ", False, "anusvara: a rule of one language"),
    ),
    *_rows(
        "Bengali",
        ("কোলক\u09beত\u09be", "ক\u09c7\u09beলক\u09beত\u09be ", True),
        ("ব\u09beংল\u09be ১২৩", "ব\u09beংল\u09be 123 ", True), ("কল", "কল\u09be ", False),
    ),
    *_rows("Gurmukhi", ("ਪੰਜਾਬੀ", "ਪੰਜਾਬੀ ", True), ("ਸ\u0a3cਹਿਰ", "ਸ\u0a3cਹਿਰ ", True)),
    *_rows("Gujarati", ("ગુજરાતી ભાષા", "ભાષા ", True), ("કરવું", "કરવો ", False)),
    *_rows(
        "Tamil",
        ("தமிழ் மொழி", "தமிழ் ", True), ("கொடு", "க\u0bc6\u0bbeடு ", True), ("கல்", "க\u0bbeல் ", False),
    ),
    *_rows("Telugu", ("తెలుగు భాష", "తెలుగు ", True), ("తెలుగు", "తెలగు ", False)),
    *_rows("Kannada", ("ಕನ್ನಡ ನುಡಿ", "ಕನ್ನಡ ", True)),
    *_rows("Malayalam", ("മലയാളം", "മലയാളം ", True), ("അവന്\u200d", "അവന് ", True, "joiner")),
    *_rows("Sinhala", ("ශ්\u200dරී ලංකා", "ශ්රී ", True, "joiner"), ("ලංකාව", "ලංකා ", False, "an ending")),
    *_rows(
        "Thai",
        ("คนไทยรักแม่มาก", "แม่", True), ("รัก\u200bแม่", "รักแม่", True),
        ("น้ำ", "นำ้", True, "marks in another order"), ("ครู", "คร", True, "a part"),
        ("ดูดาว", "ดุดาว", False, "another vowel"), ("๒๕๖๗", "2567", True),
    ),
    *_rows("Lao", ("ສະບາຍດີ", "ບາຍ", True), ("ຄູ", "ຄຸ", False, "another vowel")),
    *_rows(
        "Khmer",
        ("ខ្ញុំស្រឡាញ់\u200bភាសាខ្មែរ", "ភាសា", True), ("ស្រឡាញ់\u200bភាសា", "ស្រឡាញ់ភាសា", True),
        ("១២៣", "123", True),
    ),
    *_rows("Myanmar", ("မြန်မာစာ", "မြန်မာ", True), ("မြန်မာစာ", "မြန်မူ", False)),
    *_rows("Tibetan", ("བོད་ཡིག", "ཡིག", True), ("བོད་", "བུད་", False, "another vowel")),
    *_rows("Balinese", ("ᬩᬮᬶᬓ", "ᬮᬶ", True)),
    *_rows("Javanese", ("ꦗꦮꦏ", "ꦮꦏ", True)),
    *_rows(
        "Han",
        ("明日の天気はどう", "天気", True), ("関東と東京", "東", True), ("京都と東京", "東京都", False),
        ("㎏ ㈱", "kg 株", True),
        ("⼀⼆", "一二", True, "radicals"), ("學校", "学校", False, "traditional and simplified: a dictionary's work"),
    ),
    *_rows(
        "Kana",
        ("新しいｶﾒﾗを", "カメラ", True), ("か\u3099くせい", "がくせい", True), ("パパ", "ハハ", False),
        ("カメラ", "かめら", False),
    ),
    *_rows(
        "Hangul",
        ("서울의 학교에서", "학교", True), ("\u1112\u1161\u11ab글", "한글", True, "jamo"), ("학교", "하교", False),
    ),
    *_rows("Bopomofo", ("ㄅㄆㄇㄈ", "ㄆㄇ", True)),
    *_rows("Yi", ("ꆈꌠꁱꂷ", "ꌠꁱ", True)),
    *_rows("Armenian", ("Հայաստան և", "ՀԱՅԱՍՏԱՆ ԵՒ ", True)),
    *_rows("Georgian", ("საქართველო", "ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ ", True, "capitals")),
    *_rows("Ethiopic", ("ሰላም፡ዓለም", "ዓለም ", True, "its space"), ("ሰላም", "ሰለም ", False)),
    *_rows("Mongolian", ("ᠮᠣᠩᠭᠣᠯ\u180bᠤᠨ", "ᠮᠣᠩᠭᠣᠯᠤᠨ ", True, "variation selector"), ("ᠮᠣᠩᠭᠣᠯ", "ᠮᠤᠩᠭᠤᠯ ", False)),
    *_rows("Cherokee", ("ᏣᎳᎩ", "ꮳꮃꭹ ", True, "small letters")),
    *_rows("Thaana", ("ދިވެހި", "ދިވެހި ", True), ("ދިވެހި", "ދވހ ", False, "its vowels are letters")),
    *_rows("Tifinagh", ("ⵜⴰⵎⴰⵣⵉⵖⵜ", "ⵜⴰⵎⴰⵣⵉⵖⵜ ", True)),
    *_rows("N'Ko", ("ߒߞߏ߫", "ߒߞߏ ", True, "tone mark")),
    *_rows("Adlam", ("𞤀𞤣𞤤𞤢𞤥", "𞤢𞤣𞤤𞤢𞤥 ", True, "capital")),
    *_rows(
        "Emoji",
        ("gut 👍🏽!", "👍", True), ("gut 👍", "👍🏿", True), ("❤\ufe0f", "❤", True),
        ("👩\u200d💻 sitzt", "💻", True, "a part"), ("👩\u200d💻", "👩🏽\u200d💻", True),
        ("👩 und 💻", "👩\u200d💻", False, "apart they are no profession"), ("🏳\ufe0f\u200d🌈", "🌈", True),
        ("🇪🇸🇩🇰", "🇪🇸", True), ("🇪🇸🇩🇰", "🇸🇩", False, "not across two flags"), ("🇪🇸 🇩🇰", "🇩🇪", False, "another flag"),
        ("🇪🇸 🇩🇰", "🇩🇰 🇪🇸", True), ("🇪🇸", "🇪", False, "half a flag"),
        (_ENGLAND, _SCOTLAND, False, "another flag"), (_ENGLAND, _ENGLAND, True),
        ("wow🎉", "wow ", True),
    ),
    *_rows(
        "Signs and marks",
        ("a → b", "→", True), ("kostet 5€", "€", True), ("5 €", "5€", True), ("5 $", "€", False),
        ("C++ und C", "C++ ", True), ("C", "C++ ", False), ("C++", "C ", True), ("a+b=c", "a+b ", True),
        ("ab", "a+b ", False), ("x \u2212 y", "x - y ", True), ("2 ≤ 3", "≤", True), ("die ∑ davon", "∑", True),
        ("°C", "°", True), ("big = World", '"big world"', True, "no phrase ends at a mark"),
        ("big 👍 world", '"big world"', False), ("it´s `code`", "it's `code` ", True), ("it's", "it´s ", True),
        ("_ ^ _", "^", True), ("½", "1/2 ", True), ("¯\\_(ツ)_/¯", "ツ", True), ("₿ und ₫", "₫", True),
    ),
    *_rows(
        "Punctuation",
        ("co\u2011operate, co-operate", '"co operate"', True), ("co\u2011operate", "co-operate ", True),
        ("co-operate", "cooperate ", False, "two words: joining them would find coop for co-op"),
        ("v1.2.3", "1.2.3 ", False, "v1 is a word"), ("v1.2.3", "v1.2.3 ", True), ("1.2.3", "1.2 ", True),
        ("foo_bar", "bar ", True), ("ada@example.org", "example ", True), ("don’t", "don't ", True),
    ),
]  # fmt: skip
