"""Which record of a page holds, and which version of an object shows: the SQL that works the ledger's tables out.

Nothing here reads or writes storage.
"""

from pipeline.places import staged

# Where the rows of a record lie before they are published, as an expression of SQL.
_STAGED = f"""'{staged("' || part_id || '", "pages")}'"""

# One range a page: ranges that overlap are cut up into pages, the latest record of each page is kept, and neighbours of one
# record are joined again. Sources without overlaps, which are nearly all, take the short way; those with nothing new are not looked at.
COVER = f"""
CREATE OR REPLACE TEMP TABLE moved AS
SELECT *, {_STAGED} AS pages_file, false AS is_published FROM units
UNION ALL BY NAME SELECT cover.* FROM cover SEMI JOIN units USING (source_id);

DELETE FROM cover WHERE source_id IN (SELECT source_id FROM units);

INSERT INTO cover BY NAME
WITH marked AS (
    SELECT source_id, first_page < coalesce(max(first_page + n_pages) OVER (
        PARTITION BY source_id ORDER BY first_page, n_pages ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS is_tangled
    FROM moved
), tangled AS (
    SELECT DISTINCT source_id FROM marked WHERE is_tangled
), page AS (
    SELECT *, unnest(range(first_page, first_page + n_pages)) AS page_index
    FROM moved SEMI JOIN tangled USING (source_id)
), latest AS (
    SELECT * FROM page
    QUALIFY row_number() OVER (PARTITION BY source_id, page_index ORDER BY committed_at DESC, part_id DESC) = 1
), island AS (
    SELECT *, page_index - row_number() OVER (PARTITION BY source_id, part_id, first_page ORDER BY page_index) AS island FROM latest
)
SELECT * FROM moved ANTI JOIN tangled USING (source_id)
UNION ALL BY NAME
SELECT
    source_id, any_value(document_id) AS document_id, min(page_index) AS first_page, count(*) AS n_pages,
    string_agg(statuses[page_index - first_page + 1], '' ORDER BY page_index) AS statuses,
    any_value(tasks) AS tasks, any_value(jobs) AS jobs, part_id,
    any_value(required) AS required, if(length(any_value(required)) > 0, list(found[page_index - first_page + 1] ORDER BY page_index), []) AS found,
    any_value(run_id) AS run_id, any_value(job_name) AS job_name, any_value(processed_at) AS processed_at, any_value(committed_at) AS committed_at,
    any_value(pages_file) AS pages_file, any_value(is_published) AS is_published
FROM island GROUP BY source_id, part_id, first_page, island;

DROP TABLE moved;
DELETE FROM units;
"""  # noqa: S608 (the place is our own)

# A version of an object shows its rows once it is whole, and until a later version of the same object is whole; none does after the
# object was dropped. Nearly all objects have one version, and one word on it: what must be compared is looked for among the others alone.
STATE = """
CREATE OR REPLACE TEMP TABLE source AS
WITH again AS (
    SELECT source_id FROM sources GROUP BY source_id HAVING count(*) > 1
), word AS (
    SELECT * FROM sources ANTI JOIN again USING (source_id)
    UNION ALL BY NAME
    SELECT * EXCLUDE (row_state, row_at),
        max(row_state) OVER (PARTITION BY source_id) AS row_state, max(row_at) OVER (PARTITION BY source_id) AS row_at
    FROM sources SEMI JOIN again USING (source_id)
    QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY recorded_at DESC, run_id DESC) = 1
), covered AS (
    SELECT source_id, sum(n_pages) AS covered, max(committed_at) AS committed_at,
        sum(length(statuses) - length(replace(statuses, 'o', ''))) AS pages_ok,
        sum(length(statuses) - length(replace(statuses, 'b', ''))) AS pages_blank,
        sum(length(statuses) - length(replace(statuses, 'p', ''))) AS pages_partial,
        sum(length(statuses) - length(replace(statuses, 'f', ''))) AS pages_failed,
        flatten(list(required) FILTER (length(required) > 0)) AS required,
        string_split(array_to_string(flatten(list(found) FILTER (length(required) > 0)), ' '), ' ') AS found
    FROM cover GROUP BY source_id
), whole AS (
    SELECT word.*, coalesce(covered.covered, 0) AS covered, covered.committed_at,
        coalesce(pages_ok, 0) AS pages_ok, coalesce(pages_blank, 0) AS pages_blank,
        coalesce(pages_partial, 0) AS pages_partial, coalesce(pages_failed, 0) AS pages_failed,
        page_count IS NULL OR coalesce(covered.covered, 0) >= page_count AS is_whole,
        coalesce(list_sort(list_filter(list_distinct(required), lambda name: NOT list_contains(found, name))), []) AS missing
    FROM word LEFT JOIN covered USING (source_id)
), several AS (
    SELECT uri FROM word GROUP BY uri HAVING count(*) > 1
), newest AS (
    SELECT uri, arg_max(source_id, (recorded_at, run_id)) AS newest_id,
        arg_max(source_id, (recorded_at, run_id)) FILTER (is_whole) AS live_id,
        arg_max(coalesce(is_dropped, false), (recorded_at, run_id)) AS is_removed
    FROM whole SEMI JOIN several USING (uri) GROUP BY uri
)
SELECT whole.*, coalesce(source_id = newest_id, true) AS is_newest,
    NOT coalesce(is_removed, is_dropped, false) AND coalesce(source_id = live_id, newest_id IS NULL AND is_whole) AS is_live,
    coalesce(is_removed, is_dropped, false) AS is_removed
FROM whole LEFT JOIN newest USING (uri)
"""
