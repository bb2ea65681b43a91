"""What documents call their parts, in each language, with several words for most."""

from random import Random

from jobs.synth.locales import Language

_LABELS: dict[str, dict[Language, tuple[str, ...]]] = {
    "invoice": {
        "en": ("Invoice", "INVOICE", "Tax Invoice"),
        "de": ("Rechnung", "RECHNUNG"),
        "fr": ("Facture", "FACTURE"),
        "es": ("Factura", "FACTURA"),
    },
    "number": {
        "en": ("Invoice no.", "Invoice number", "Invoice #", "Number", "No."),
        "de": ("Rechnungsnr.", "Rechnung Nr.", "Nummer"),
        "fr": ("Facture n.", "Numéro", "Facture Nr"),
        "es": ("Factura n.", "Número"),
    },
    "date": {
        "en": ("Date", "Invoice date", "Issued", "Date of issue"),
        "de": ("Datum", "Rechnungsdatum"),
        "fr": ("Date", "Date de facture"),
        "es": ("Fecha", "Fecha de factura"),
    },
    "due": {
        "en": ("Due date", "Due", "Payable by", "Pay before"),
        "de": ("Zahlbar bis", "Fällig am"),
        "fr": ("Échéance", "À payer avant"),
        "es": ("Vencimiento", "Pagar antes de"),
    },
    "order": {
        "en": ("Order no.", "Your order", "PO number"),
        "de": ("Bestellnr.", "Ihre Bestellung"),
        "fr": ("Commande", "Bon de commande"),
        "es": ("Pedido", "Su pedido"),
    },
    "billed": {
        "en": ("Bill to", "Invoice to", "Customer", "Sold to"),
        "de": ("Rechnung an", "Kunde"),
        "fr": ("Facturé à", "Client"),
        "es": ("Facturar a", "Cliente"),
    },
    "from": {
        "en": ("From", "Seller", "Supplier"),
        "de": ("Von", "Lieferant"),
        "fr": ("De", "Fournisseur"),
        "es": ("De", "Proveedor"),
    },
    "item": {
        "en": ("Description", "Item", "Article"),
        "de": ("Bezeichnung", "Artikel"),
        "fr": ("Désignation", "Article"),
        "es": ("Descripción", "Artículo"),
    },
    "code": {"en": ("Code", "Ref.", "SKU"), "de": ("Art.-Nr.", "Code"), "fr": ("Réf.", "Code"), "es": ("Ref.", "Código")},
    "quantity": {
        "en": ("Qty", "Quantity", "Units"),
        "de": ("Menge", "Anz."),
        "fr": ("Qté", "Quantité"),
        "es": ("Cant.", "Unidades"),
    },
    "price": {
        "en": ("Price", "Unit price", "Rate"),
        "de": ("Preis", "Einzelpreis"),
        "fr": ("Prix", "P.U."),
        "es": ("Precio", "P. unit."),
    },
    "amount": {
        "en": ("Amount", "Line total", "Sum"),
        "de": ("Betrag", "Gesamt"),
        "fr": ("Montant", "Somme"),
        "es": ("Importe", "Suma"),
    },
    "subtotal": {
        "en": ("Subtotal", "Net amount", "Net"),
        "de": ("Zwischensumme", "Netto"),
        "fr": ("Sous-total", "Total HT"),
        "es": ("Subtotal", "Base"),
    },
    "tax": {"en": ("VAT", "Tax", "Sales tax"), "de": ("MwSt.", "USt."), "fr": ("TVA",), "es": ("IVA",)},
    "total": {
        "en": ("Total", "TOTAL", "Amount due", "Total due", "Grand total"),
        "de": ("Gesamtbetrag", "Summe", "Endbetrag"),
        "fr": ("Total TTC", "Total", "Net à payer"),
        "es": ("Total", "Total a pagar"),
    },
    "bank": {
        "en": ("Please pay to account", "Bank account"),
        "de": ("Bankverbindung", "Konto"),
        "fr": ("Compte bancaire", "Compte"),
        "es": ("Cuenta bancaria", "Cuenta"),
    },
    "thanks": {
        "en": ("Thank you for your business.", "Many thanks for your order."),
        "de": ("Vielen Dank für Ihren Auftrag.",),
        "fr": ("Merci de votre confiance.",),
        "es": ("Gracias por su pedido.",),
    },
    "dear": {
        "en": ("Dear {name},", "Dear Sir or Madam,", "Hello {name},"),
        "de": ("Guten Tag {name},", "Sehr geehrte Damen und Herren,"),
        "fr": ("Bonjour {name},", "Madame, Monsieur,"),
        "es": ("Estimado cliente:", "Hola {name}:"),
    },
    "regards": {
        "en": ("Yours faithfully,", "Kind regards,", "Yours sincerely,"),
        "de": ("Mit freundlichen Grüßen", "Viele Grüße"),
        "fr": ("Cordialement,", "Bien à vous,"),
        "es": ("Un cordial saludo,", "Atentamente,"),
    },
    "subject": {"en": ("Subject:", "Re:"), "de": ("Betreff:",), "fr": ("Objet :",), "es": ("Asunto:",)},
    "reference": {
        "en": ("Our ref.", "Reference"),
        "de": ("Unser Zeichen", "Zeichen"),
        "fr": ("Nos réf.", "Référence"),
        "es": ("Nuestra ref.", "Referencia"),
    },
    "paid": {
        "en": ("PAID", "RECEIVED", "APPROVED", "COPY"),
        "de": ("BEZAHLT", "EINGANG", "GEPRÜFT"),
        "fr": ("PAYÉ", "REÇU", "COPIE"),
        "es": ("PAGADO", "RECIBIDO", "COPIA"),
    },
    "page": {
        "en": ("Page {n} of {of}", "Page {n}/{of}"),
        "de": ("Seite {n} von {of}",),
        "fr": ("Page {n} sur {of}",),
        "es": ("Página {n} de {of}",),
    },
}


def label(rng: Random, key: str, language: Language) -> str:
    """Draw one of the words for a part of a document."""
    return rng.choice(_LABELS[key][language])
