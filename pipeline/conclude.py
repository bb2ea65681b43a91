"""What a page's rows come to once all that was read of it is known: cells get their values, values are held against one another and weighed,
and what nothing places stands on the whole page.

Pure. The order matters: sums need cells' values, and what a check has failed is not weighed.
"""

from collections.abc import Sequence

from pipeline.columns import Columns, columned
from pipeline.company import in_company
from pipeline.crosscheck import cross_checked
from pipeline.provenance import on_the_page
from pipeline.settle import Rows
from schemas.crosscheck import CrossCheck
from schemas.signals import ConfidenceModel


def concluded(
    made: Rows, asked: frozenset[str], columns: Columns, checks: Sequence[CrossCheck], model: ConfidenceModel | None
) -> Rows:
    """Return a page's rows, of which those were made now that answer the keys `asked`."""
    told = in_company(cross_checked(columned(made, columns), checks, model), asked, model)
    return Rows(*on_the_page(told.page, told.fields))
