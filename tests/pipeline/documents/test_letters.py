"""Sense and nonsense in text: every language and every list is sense, broken encodings are not."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.documents.letters import nonsense

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
SENSE = {
    "English": "The committee met in the morning and heard the report of the treasurer, which was accepted without a vote of the members.",
    "German": "Die Sitzung begann am frühen Morgen, und der Bericht des Schatzmeisters wurde ohne Gegenstimme angenommen.",
    "Finnish": "Kokous alkoi aikaisin aamulla, ja rahastonhoitajan kertomus hyväksyttiin yksimielisesti ilman äänestystä.",
    "Polish": "Zebranie rozpoczęło się wcześnie rano, a sprawozdanie skarbnika zostało przyjęte bez głosu sprzeciwu.",
    "Welsh": "Dechreuodd y cyfarfod yn gynnar yn y bore, a derbyniwyd adroddiad y trysorydd heb bleidlais yn ei erbyn.",
    "Vietnamese": "Cuộc họp bắt đầu vào sáng sớm và báo cáo của thủ quỹ đã được chấp nhận mà không có phiếu chống.",
    "Russian": "Заседание началось рано утром, и отчёт казначея был принят без единого голоса против.",
    "Greek": "Η συνεδρίαση άρχισε νωρίς το πρωί και η έκθεση του ταμία έγινε δεκτή χωρίς αντίρρηση.",
    "Chinese": "会议于清晨开始,司库的报告未经表决即获通过。随后成员们讨论了桥梁的问题,其维修已推迟到第二年。",
    "Arabic": "بدأ الاجتماع في الصباح الباكر، وتم قبول تقرير أمين الصندوق دون تصويت، ثم انتقل الأعضاء إلى مسألة الجسر.",
    "figures": "\n".join(f"{row}  {row * 37.5:,.2f}  {row * 12}%  ({row}.00)  $ {row * 3}  |  —" for row in range(20)),
    "parts list": "\n".join(f"BRKT-{row:04} RXV{row}Q WSHR M{row} ZN DIN {row}" for row in range(20)),
    "contents": "Introduction ........................ 1\nMethods .............................. 7\nResults ............................ 12",
    "bullets": "\uf0b7 The first of several points\n\uf0b7 The second of them\n\uf0b7 And the third, with which the list ends",
    "Czech": "Schůze začala brzy ráno a zpráva pokladníka byla přijata bez hlasování; potom členové jednali o mostu, jehož oprava se odkládá.",
    "Hungarian": "Az ülés kora reggel kezdődött, és a pénztáros jelentését szavazás nélkül elfogadták, majd a híd ügyére tértek át a tagok.",
    "Turkish": "Toplantı sabah erken saatlerde başladı ve saymanın raporu oylama yapılmadan kabul edildi, ardından köprü konusu görüşüldü.",
    "Xhosa": "Intlanganiso yaqala kusasa kakhulu, yaye ingxelo kanondyebo yamkelwa ngaphandle kwevoti, emva koko kwaxoxwa ngebhulorho.",
    "a program": Path(__file__).read_text(),
    "objects": '{"name":"bridge","offers":[{"by":"Ames","sum":1200.5},{"by":"Hale","sum":980}],"at":"2024-05-01"},' * 3,
    "capitals": "THE COMMITTEE MET IN THE MORNING AND HEARD THE REPORT OF THE TREASURER, WHICH WAS ACCEPTED",
    "a word": "7",
    "": "",
}


@pytest.mark.parametrize("name", SENSE)
def test_sense_is_left_alone(name):
    """Text of any language, and text that is no prose, is not called nonsense."""
    assert nonsense(SENSE[name]) is None


def by_chance(text: str, signs: str) -> str:
    """Return any signs in the place of letters."""
    chance = Random(1)  # noqa: S311  (no secret)
    return "".join(chance.choice(signs) if sign.isalpha() else sign for sign in text)


def numbered(text: str) -> str:
    """Return each sign as the number under which it was first met, as where a font's subset has codes of its own."""
    met = {sign: chr(33 + number) for number, sign in enumerate(dict.fromkeys(text.replace(" ", "")))}
    return "".join(met.get(sign, " ") for sign in text)


NONSENSE = {
    "UTF-8 as Latin-1": SENSE["Polish"].encode().decode("latin-1"),
    "UTF-8 as Windows-1252": ("„Größe“ – das heißt: für Straßen, Äcker und Höfe, wie üblich. " * 3)
    .encode()
    .decode("cp1252", "replace"),
    "Cyrillic as Latin-1": SENSE["Russian"].encode("cp1251").decode("latin-1"),
    "shifted by 29": "".join(
        chr(ord(sign) - 29) if sign.isalpha() else sign
        for sign in "The committee met in the morning and heard the report of it"
    ),
    "replaced": "Th� c�mmitt�� m�t in th� m�rning",
    "private": "".join(chr(0xF000 + ord(sign)) if sign != " " else sign for sign in "The committee met in the morning"),
    "controls": "".join(chr(ord(sign) % 32) if sign != " " else sign for sign in "The committee met in the morning"),
    "another alphabet": SENSE["English"].translate(str.maketrans(ALPHABET, "qmzvwxkbjhfrtynlpgdcosiuea")),
    "turned by 13": SENSE["English"].translate(str.maketrans(ALPHABET, ALPHABET[13:] + ALPHABET[:13])),
    "letters by chance": by_chance(SENSE["English"], ALPHABET),
    "signs by chance": by_chance(SENSE["English"] * 8, "".join(map(chr, range(33, 127)))),
    "numbered as met": numbered(SENSE["German"]),
    "reversed alphabet": "".join(
        chr(219 - ord(sign)) if sign.islower() else sign for sign in SENSE["German"].lower().replace("ü", "u")
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_found_out(name):
    """Wrong encodings, ciphers of broken fonts and glyphs without a meaning are told, each with a reason."""
    assert nonsense(NONSENSE[name])


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_is_judged(text):
    """No text makes the judgement fail."""
    assert nonsense(text) is None or nonsense(text)
