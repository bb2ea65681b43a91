"""Invented people, companies, places, goods and codes.

Surnames, companies and towns are put together from syllables, so that they have to be read and cannot be known.
"""

import string
from random import Random

from jobs.synth.locales import Language

_ONSETS = "b br c ch d dr f fl g gr h j k kr l m n p pl qu r s sh sk st t tr v w z".split()
_VOWELS = "a e i o u ai ea ee io ou".split()
_CODAS = "b ck d g l ld ll m n nd ng nt p r rd rk rn s ss st t th x".split()
_ACCENTS: dict[str, str] = {"en": "", "de": "äöüß", "fr": "éèêçôîà", "es": "áéíóúñ"}

_FIRST: dict[str, tuple[str, ...]] = {
    "en": tuple(
        "Alice Amos Beth Carl Clara Dora Edgar Ellen Felix Grace Hugo Ivy Jack Kate Leo Mabel Nina Oscar Paula Ruth Simon Tess Vera Walter".split()
    ),
    "de": tuple(
        "Anke Bernd Dörte Emil Frieda Götz Heike Ingo Jürgen Klara Lutz Margit Nele Otto Petra Rüdiger Silke Uwe Wiebke".split()
    ),
    "fr": tuple(
        "André Benoît Cécile Denis Élise François Gaël Hélène Irène Joël Léa Maël Noémie Odile René Solène Théo Zoé".split()
    ),
    "es": tuple(
        "Andrés Begoña Carlos Dolores Elías Fermín Gloria Inés Joaquín Lucía Martín Nuria Óscar Pilar Raúl Sofía Tomás".split()
    ),
}
_TRADES: dict[str, tuple[str, ...]] = {
    "en": (
        "Tools",
        "Foods",
        "Paper",
        "Motors",
        "Books",
        "Textiles",
        "Lighting",
        "Garden Supply",
        "Electric",
        "Print",
        "Freight",
        "Optics",
        "Timber",
        "Dairy",
    ),
    "de": ("Werkzeuge", "Handel", "Bürobedarf", "Möbel", "Technik", "Getränke", "Druckerei", "Gartenbau", "Elektro", "Verlag"),
    "fr": ("Outillage", "Librairie", "Transports", "Mobilier", "Épicerie", "Textile", "Imprimerie", "Jardins", "Électricité"),
    "es": ("Herramientas", "Librería", "Transportes", "Muebles", "Alimentación", "Textil", "Imprenta", "Jardinería"),
}
_FORMS: dict[str, tuple[str, ...]] = {
    "en": ("Ltd", "Inc.", "LLC", "& Sons", "& Co.", "Group", "plc"),
    "de": ("GmbH", "AG", "KG", "OHG", "e.K."),
    "fr": ("SARL", "SA", "SAS", "et Fils"),
    "es": ("S.L.", "S.A.", "e Hijos"),
}
_STREETS: dict[str, tuple[str, ...]] = {
    "en": ("{n} {w} Street", "{n} {w} Road", "{n} {w} Lane", "Unit {n}, {w} Park", "{n} {w} Avenue"),
    "de": ("{w}straße {n}", "{w}weg {n}", "Am {w} {n}", "{w}platz {n}"),
    "fr": ("{n}, rue {w}", "{n}, avenue de {w}", "{n} quai {w}"),
    "es": ("Calle {w}, {n}", "Avenida de {w} {n}", "Plaza {w}, {n}"),
}
_TOWNS: dict[str, tuple[str, ...]] = {
    "en": ("{w}ton", "{w}ford", "Port {w}", "{w} Hill", "{w}bury"),
    "de": ("{w}stadt", "{w}burg", "Bad {w}", "{w}hausen"),
    "fr": ("Saint-{w}", "{w}ville", "{w}-sur-Mer"),
    "es": ("Villa {w}", "San {w}", "{w} del Río"),
}
_GOODS: dict[str, tuple[str, ...]] = {
    "en": tuple(
        "bolt,lamp,paper,cable,chair,filter,hinge,ink,kettle,ladder,mirror,notebook,paint,pump,rope,shelf,tape,valve,wrench,brush,battery,bracket,envelope,gloves,hose,label,drill,clamp,bucket,plug".split(
            ","
        )
    ),
    "de": tuple(
        "Schraube,Lampe,Papier,Kabel,Stuhl,Filter,Tinte,Leiter,Spiegel,Heft,Farbe,Pumpe,Seil,Regal,Klebeband,Ventil,Bürste,Batterie,Umschlag,Dübel".split(
            ","
        )
    ),
    "fr": tuple(
        "vis,lampe,papier,câble,chaise,filtre,encre,échelle,miroir,cahier,peinture,pompe,corde,étagère,ruban,brosse,pile,enveloppe,clé,tuyau".split(
            ","
        )
    ),
    "es": tuple(
        "tornillo,lámpara,papel,cable,silla,filtro,tinta,escalera,espejo,cuaderno,pintura,bomba,cuerda,estante,cinta,cepillo,pila,sobre,llave,tubo".split(
            ","
        )
    ),
}
_QUALITIES: dict[str, tuple[str, ...]] = {
    "en": (
        "small",
        "large",
        "heavy",
        "steel",
        "blue",
        "red",
        "oak",
        "brass",
        "spare",
        "folding",
        "double",
        "long",
        "grey",
        "round",
    ),
    "de": ("klein", "groß", "schwer", "Stahl", "blau", "rot", "Eiche", "rund", "doppelt", "lang", "grün"),
    "fr": ("petit", "grand", "lourd", "acier", "bleu", "rouge", "chêne", "double", "long", "léger"),
    "es": ("pequeño", "grande", "acero", "azul", "rojo", "roble", "doble", "largo", "rápido"),
}
_FOODS: tuple[str, ...] = (
    *"Bread,Milk 1L,Apples,Butter,Tea,Rice 2kg,Eggs x12,Cheese,Soup,Pasta,Honey,Juice".split(","),
    *"Salad,Coffee,Yoghurt,Onions,Soap,Candles,Batteries,Biscuits,Pears,Water 6pk,Oats,Mustard".split(","),
)


def word(rng: Random, language: Language = "en") -> str:
    """Make up a word of one to three syllables, now and then with an accent of the language."""
    made = "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + (rng.choice(_CODAS) if rng.random() < 0.5 else "")
        for _ in range(rng.choice((1, 2, 2, 2, 3)))
    )
    if _ACCENTS[language] and rng.random() < 0.3:
        made += rng.choice(_ACCENTS[language]) + rng.choice(("n", "r", "t", "l"))
    return made


def name(rng: Random, language: Language = "en") -> str:
    """Make up a name: a capital, at least four letters."""
    made = word(rng, language)
    return (made if len(made) > 3 else made + word(rng, language)).capitalize()


def person(rng: Random, language: Language) -> str:
    """Make up a person."""
    middle = f" {rng.choice(string.ascii_uppercase)}." if rng.random() < 0.15 else ""
    return f"{rng.choice(_FIRST[language])}{middle} {name(rng, language)}"


def company(rng: Random, language: Language) -> str:
    """Make up a company."""
    trade = f" {rng.choice(_TRADES[language])}" if rng.random() < 0.7 else ""
    return f"{name(rng, language)}{trade} {rng.choice(_FORMS[language])}"


def address(rng: Random, language: Language) -> tuple[str, str]:
    """Make up a street line and a town line."""
    street = rng.choice(_STREETS[language]).format(w=name(rng, language), n=rng.randrange(1, 290))
    town = rng.choice(_TOWNS[language]).format(w=name(rng, language))
    if language == "en":
        return street, rng.choice((f"{town} {code(rng, 'AA# #AA')}", f"{town}, {code(rng, 'AA #####')}"))
    return street, f"{code(rng, '#####')} {town}"


def contact(rng: Random, owner: str) -> str:
    """Make up a telephone number, or an address on a domain that cannot exist."""
    if rng.random() < 0.5:
        return code(rng, rng.choice(("Tel. 0555 ### ###", "Tel. +00 55 #### ##", "(555) 01#-####")))
    host = "".join(letter for letter in owner.split(maxsplit=1)[0].lower() if letter in string.ascii_lowercase)
    return f"{rng.choice(('office', 'info', 'sales', 'mail'))}@{host}.example"


def goods(rng: Random, language: Language) -> str:
    """Make up an article of trade, with a size now and then."""
    thing, quality = rng.choice(_GOODS[language]), rng.choice(_QUALITIES[language])
    text = f"{quality} {thing}" if language in ("en", "de") else f"{thing} {quality}"
    size = rng.random()
    if size < 0.25:
        text += f" {rng.randrange(2, 95)}{rng.choice((' mm', ' cm', 'W', ' kg', ' ml'))}"
    elif size < 0.35:
        text += f" {rng.choice('ABCDEKMTX')}{rng.randrange(2, 99)}"
    return text[0].upper() + text[1:]


def grocery(rng: Random) -> str:
    """Draw something that a till prints."""
    return rng.choice(_FOODS) if rng.random() < 0.7 else f"{name(rng)} {rng.choice(_FOODS)}"


def code(rng: Random, pattern: str) -> str:
    """Fill a pattern: # is a digit, A a capital."""
    drawn = {"#": string.digits, "A": "ABCDEFGHJKLMNPRSTUVWXYZ"}
    return "".join(rng.choice(drawn[sign]) if sign in drawn else sign for sign in pattern)
