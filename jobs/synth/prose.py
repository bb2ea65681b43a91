"""Sentences and headlines for letters and articles: patterns with slots, filled with invented words, goods, numbers and names."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from random import Random

from jobs.synth import names
from jobs.synth.locales import Language, Locale, number

_SENTENCES: dict[Language, tuple[str, ...]] = {
    "en": (
        "Thank you for your message about the {goods}.",
        "We have looked into the matter and found that {n} of the {goods} were never sent.",
        "The workshop in {place} will be closed for {n} days while the new line is built.",
        "Please return the form with reference {code} before the end of the month.",
        "Our records show a balance of {amount}, which was paid on time.",
        "{person} will call on you to discuss the details.",
        "As agreed with {person}, the price per unit stays at {amount}.",
        "The committee met twice and heard {n} reports on the state of the {word} project.",
        "If anything is unclear, our office in {place} will be glad to help.",
        "Nobody had expected the {goods} to sell so well, least of all {person}.",
        '"It took us {n} weeks," says {person}, "and we would do it again."',
        "A second test (see {code}) gave the same result: {n}% better than before.",
        "The contract runs for {n} months and may be renewed once.",
        "What {place} needs now is a plain answer, not another survey.",
        "From next year on, every {goods} carries a number such as {code}.",
        "We would ask you to keep this letter with your other papers.",
        "Costs rose to {amount}; half of that was spent on the {goods}.",
        "Is that too much? Most of those we asked in {place} do not think so.",
        "The old {word} works, founded by {person}, stood empty for {n} years.",
        "Deliveries leave {place} each Tuesday and arrive within {n} days.",
        "You will find the figures for {place} in the table on the next page.",
        "No extra charge is made for orders above {amount}.",
        "The {word} method is simple: measure, wait, and measure again.",
        "In the first quarter, {n} members joined and only a few left.",
    ),
    "de": (
        "Vielen Dank für Ihre Nachricht vom Dienstag.",
        "Wir haben {n} Stück ({goods}) heute nach {place} geschickt.",
        "Bitte senden Sie uns das Formular {code} bis Monatsende zurück.",
        "Der Betrag von {amount} ist bei uns eingegangen.",
        "{person} wird sich in den nächsten Tagen bei Ihnen melden.",
        "Für Rückfragen erreichen Sie unser Büro in {place} jederzeit.",
        "Die Lieferung verzögert sich leider um {n} Tage.",
        "Größere Mengen führen wir künftig unter der Nummer {code}.",
        "Über den weiteren Verlauf möchten wir Sie früh informieren.",
        "Der Vertrag läuft {n} Monate und kann verlängert werden.",
    ),
    "fr": (
        "Nous vous remercions de votre commande ({goods}).",
        "Le colis {code} a été expédié hier de {place}.",
        "Le montant de {amount} reste à régler avant la fin du mois.",
        "{person} vous téléphonera dès que possible.",
        "La réunion aura lieu à {place} dans {n} jours.",
        "Veuillez noter la référence {code} sur votre chèque.",
        "Après contrôle, {n} pièces étaient abîmées.",
        "Le délai prévu était de {n} semaines; il sera respecté.",
        "Où faut-il livrer le reste? Répondez-nous à {place}.",
    ),
    "es": (
        "Le agradecemos su pedido de {goods}.",
        "El envío {code} salió ayer de {place}.",
        "Queda pendiente un importe de {amount}.",
        "{person} se pondrá en contacto con usted mañana.",
        "La reunión será en {place} dentro de {n} días.",
        "Según el informe {code}, faltan {n} piezas.",
        "El próximo año habrá más información aquí.",
        "Recibirá la documentación en {n} días hábiles.",
    ),
}
_HEADLINES: dict[Language, tuple[str, ...]] = {
    "en": (
        "Your order of {goods}",
        "Delivery to {place}",
        "Notice {code}",
        "A new {word} for {place}",
        "Change of address",
        "{n} years of {word}",
    ),
    "de": (
        "Ihre Bestellung: {goods}",
        "Lieferung nach {place}",
        "Mitteilung {code}",
        "Neues aus {place}",
        "Änderung der Anschrift",
    ),
    "fr": ("Votre commande: {goods}", "Livraison à {place}", "Avis {code}", "Réunion de {place}", "Contrat {code}"),
    "es": ("Su pedido: {goods}", "Entrega en {place}", "Aviso {code}", "Novedades de {place}", "Contrato {code}"),
}


def sentence(rng: Random, place: Locale) -> str:
    """Make up a sentence."""
    return _filled(rng, rng.choice(_SENTENCES[place.language]), place)


def headline(rng: Random, place: Locale) -> str:
    """Make up the subject of a letter or the head of an article."""
    return _filled(rng, rng.choice(_HEADLINES[place.language]), place)


def sentences(rng: Random, place: Locale) -> Iterator[str]:
    """Make up sentences without end; none is of a kind that came just before, as long as there are others."""
    while True:
        patterns = list(_SENTENCES[place.language])
        rng.shuffle(patterns)
        for pattern in patterns:
            yield _filled(rng, pattern, place)


def paragraph(source: Iterator[str], count: int) -> str:
    """Return a paragraph of the next sentences."""
    return " ".join(islice(source, count))


def _filled(rng: Random, pattern: str, place: Locale) -> str:
    language, goods = place.language, names.goods(rng, place.language)
    text = pattern.format(
        goods=goods[0].lower() + goods[1:] if language != "de" else goods,
        place=names.name(rng, language),
        person=names.person(rng, language),
        word=names.word(rng, language),
        n=rng.randrange(2, 99),
        code=names.code(rng, rng.choice(("AA-###", "##/####", "A####", "#####"))),
        amount=f"{number(Decimal(rng.randrange(500, 999999)) / 100, place)} {place.currency}",
    )
    return text[0].upper() + text[1:]
