// The report. Everything that comes from a document is set as text, never as markup; addresses are made here and nowhere else.
"use strict";
const pagemill = (() => {
  const STATUS = { o: "ok", b: "blank", p: "partial", f: "failed" };
  const KINDS = [["fields", "Fields"], ["lines", "Lines"], ["tables", "Tables"], ["things", "Found"]];
  const ROWS = 150; // so many rows of the list at a time
  const UNSURE = .8; // lines less sure than this say so
  const shown = { lines: true, fields: true, tables: true, things: true };
  const list = { query: "", status: "", key: "quality", down: false };
  const chunks = new Map(), waiting = new Map();
  const edits = new Map(); // what was corrected and may not be saved yet, by page and by what of it
  let all = null, pictured = new Set(), zoom = 0, keep = null, open = null;

  // Elements.
  const $ = (id) => document.getElementById(id);
  function make(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }
  const el = (name, attributes, ...children) => make(document.createElement(name), attributes, children);
  const svg = (name, attributes, ...children) => make(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  const said = (text, attributes) => el("span", { dir: "auto", ...attributes, class: `said ${attributes?.class || ""}` }, String(text));
  const dot = (status, text) => el("span", { class: "status" }, el("i", { class: `dot ${status}`, "aria-hidden": "true" }), text ?? status);

  // Numbers, always in one notation, whatever the browser's own.
  const n = (value) => Math.round(value || 0).toLocaleString("en-US");
  const few = (value, noun) => `${n(value)} ${noun}${value === 1 ? "" : "s"}`;
  const share = (part, whole) => (whole ? `${(100 * part / whole).toFixed(part && part !== whole ? 1 : 0)}%` : "–");
  const fine = (value) => `${(100 * value).toFixed(1)}%`;
  const percent = (value) => (value === undefined || value === null ? "–" : `${Math.round(100 * value)}%`);
  const sum = (values) => values.reduce((total, value) => total + (value || 0), 0);
  function time(seconds) {
    if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
  const money = (dollars) => `$${dollars && dollars < 1 ? dollars.toPrecision(2) : dollars.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  const when = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
  // Marks that turn the writing around would make a name look like another.
  const plain = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, (mark) => `[U+${mark.codePointAt(0).toString(16).toUpperCase()}]`);
  const name = (entry) => plain(entry.name.slice(all.prefix.length) || entry.name);
  const address = (entry, page) => `#document/${entry}/${page + 1}`;
  const tone = (quality) => (quality < 0.5 ? "failed" : quality < 0.8 ? "partial" : "ok");

  // Data: from elements of this file, or from files beside it that call `take`.
  function load(number) {
    if (chunks.has(number)) return Promise.resolve(chunks.get(number));
    const inline = $(`chunk-${number}`);
    if (inline) { take(number, JSON.parse(inline.textContent)); return load(number); }
    if (!waiting.has(number)) {
      let done, failed;
      const promise = new Promise((resolve, reject) => { done = resolve; failed = reject; });
      waiting.set(number, { promise, done });
      const script = el("script", { src: `data/${number}.js`, onerror: () => { waiting.delete(number); failed(new Error("missing")); } });
      document.head.append(script);
    }
    return waiting.get(number).promise;
  }
  function take(number, pages) {
    chunks.set(number, pages);
    if (chunks.size > 24) chunks.delete(chunks.keys().next().value);
    waiting.get(number)?.done(pages);
    waiting.delete(number);
  }
  async function page(number) {
    let low = 0, high = all.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (all.chunks[middle] <= number) low = middle; else high = middle - 1;
    }
    return (await load(low))[number - all.chunks[low]];
  }
  function picture(number) {
    if (!pictured.has(number)) return null;
    const inline = $(`picture-${number}`);
    return inline ? JSON.parse(inline.textContent) : `pictures/${number}.webp`;
  }

  // The overview.
  function overview() {
    const c = all.counts, total = sum(Object.values(c.pages)), last = all.runs?.at(-1), model = sum((all.runs || []).map((r) => r.engine_seconds));
    const priced = (all.runs || []).filter((r) => r.dollars !== undefined), dollars = priced.length ? sum(priced.map((r) => r.dollars)) : null;
    const values = sum((c.field_counts || []).map((f) => f.ok)), asked = values + sum((c.field_counts || []).map((f) => (f.absent || 0) + (f.invalid || 0) + (f.rejected || 0)));
    return [
      el("div", { class: "head" }, el("h1", {}, said(all.title)), el("p", { class: "soft small" }, said(plain(all.sink)), ` · made ${when(all.made_at)}`)),
      el("section", { class: "card" },
        el("div", { class: "tiles" },
          tile(n(total), total === 1 ? "page" : "pages"), tile(n(all.documents?.length), all.documents?.length === 1 ? "document" : "documents"),
          tile(share((c.pages.ok || 0) + (c.pages.blank || 0), total), "of pages wholly read"),
          asked ? tile(n(values), `field values, of ${n(asked)} asked`) : null,
          c.requests ? tile(n(c.requests), "requests") : null, c.tokens ? tile(n(c.tokens), "tokens") : null,
          last ? tile(time(last.seconds), "the last run took") : null, model ? tile(time(model), "the model’s time") : null,
          dollars === null ? null : tile(money(dollars), total ? `for all runs: ${money(1000 * dollars / total)} a thousand pages` : "for all runs"), tile(total ? time((c.page_seconds || 0) / total) : "–", "work per page")),
        el("div", { class: "bar", role: "img", "aria-label": "pages by status" }, Object.values(STATUS).map((s) => {
          if (!c.pages[s]) return null;
          const part = el("i", { class: s, title: `${n(c.pages[s])} ${s}` }); part.style.flex = c.pages[s]; return part;
        })),
        el("div", { class: "legend" }, Object.values(STATUS).map((s) => c.pages[s] ? el("span", {}, el("i", { class: `dot ${s}` }), el("b", {}, n(c.pages[s])), ` ${s === "ok" ? "read" : s === "partial" ? "in part" : s} · ${share(c.pages[s], total)}`) : null))),
      all.plan ? planned(all.plan) : null,
      ...plots(),
      counts("What could not be read", "Pages and documents by reason; an example opens beside its page.", c.rejects, "Every page was read."),
      c.field_counts?.length ? fieldCounts(c.field_counts) : null,
      c.field_reasons?.length ? counts("Values that did not hold", "An answer came, and its type or its rules refuse it.", c.field_reasons) : null,
      c.remarks?.length ? counts("Remarks", "What is worth knowing of pages that were read all the same.", c.remarks) : null,
      el("div", { class: "grid uneven" }, c.rungs?.length ? rungs(c.rungs) : null, all.runs?.length ? runs(all.runs) : null),
      el("p", { class: "soft small" }, `Pagemill ${all.version}. Boxes are in points; pictures are of ${few(pictured.size, "page")}, the worst and a sample of the others.`),
    ];
  }
  const tile = (value, label) => el("div", { class: "tile" }, el("b", {}, value), el("span", {}, label));
  const head = (...cells) => el("thead", {}, el("tr", {}, cells.map(([text, num]) => el("th", { class: num ? "num" : null, scope: "col" }, text))));
  const card = (title, about, ...rest) => el("section", { class: "card" }, el("h2", {}, title), about ? el("p", { class: "soft small" }, about) : null, rest);
  const table = (header, rows) => el("div", { class: "scroll" }, el("table", {}, header, el("tbody", {}, rows)));
  function counts(title, about, found, none) {
    if (!found?.length) return card(title, null, el("p", { class: "empty" }, none));
    return card(title, about, table(head(["Count", true], ["Reason"], ["For example"]), found.map((each) => el("tr", {},
      el("td", { class: "num" }, n(each.count)),
      el("td", {}, said(each.name, { class: "mono" }), each.detail ? el("div", { class: "small soft" }, said(plain(each.detail.slice(0, 400)))) : null),
      el("td", {}, el("div", { class: "examples" }, (each.examples || []).slice(0, 3).map(([d, p]) => el("a", { href: address(d, Math.max(0, p)) }, said(label(d, p))))))))));
  }
  function label(number, page) {
    const text = name(all.documents[number]), short = text.length > 34 ? `…${text.slice(-33)}` : text;
    return page < 0 ? short : `${short} · ${page + 1}`;
  }
  function fieldCounts(fields) {
    const sure = fields.some((f) => f.confidence !== undefined);
    return card("Fields", null, table(head(["Field"], ["Read", true], ["Absent", true], ["Invalid", true], ["Rejected", true], ...(sure ? [["Confidence", true]] : [])),
      fields.map((f) => el("tr", {}, el("td", {}, said(f.name)), ["ok", "absent", "invalid", "rejected"].map((s) => el("td", { class: `num${f[s] ? "" : " soft"}` }, n(f[s]))), sure ? el("td", { class: "num" }, percent(f.confidence)) : null))));
  }
  const rungs = (found) => card("Ladder", "Requests by rung; unsettled tasks climb.", table(head(["Rung", true], ["Pages", true], ["Requests", true], ["Tokens", true], ["Cut short", true]),
    found.map((r) => el("tr", {}, [r.rung + 1, r.pages, r.requests, r.tokens, r.cut_short].map((v) => el("td", { class: "num" }, n(v)))))));
  const runs = (found, priced = found.some((r) => r.dollars !== undefined)) => card("Runs", null, table(head(["Started"], ["Job"], ["Pages", true], ["Took", true], ["Requests", true], ["Tokens", true], ...(priced ? [["Cost", true]] : []), ["Rejected", true], ["Exit", true]),
    found.slice(-12).reverse().map((r) => el("tr", { title: r.engine || null }, el("td", { class: "status" }, when(r.started_at)), el("td", {}, said(r.job), r.kind ? el("span", { class: "soft" }, ` · ${r.kind}`) : null), el("td", { class: "num" }, n(r.pages)), el("td", { class: "num" }, time(r.seconds)), el("td", { class: "num" }, n(r.requests)), el("td", { class: "num" }, n(r.tokens)), priced ? el("td", { class: "num" }, r.dollars === undefined ? "–" : money(r.dollars)) : null, el("td", { class: "num" }, percent(r.rejected)), el("td", { class: "num" }, n(r.exit_code))))));

  function planned(p) {
    const number = (value) => (value === undefined || value === null ? "–" : value && Math.abs(value) < 10 && !Number.isInteger(value) ? value.toPrecision(2) : n(value));
    const inside = ([, , low, high, actual]) => actual >= low - .5 && actual <= high + .5;
    return card("Plan against actual", `planned ${when(p.made_at)} from ${few(p.looked_at, "document")}; ${p.runs ? `${few(p.runs, "run")} followed` : "no run has followed"}`,
      table(head([""], ["Planned", true], ["Between", true], ["Actual", true]), p.rows.map((r) => el("tr", {}, el("td", {}, said(r[0])), el("td", { class: "num" }, number(r[1])),
        el("td", { class: "num soft" }, r[2] === r[3] ? "–" : `${number(r[2])} and ${number(r[3])}`), el("td", { class: "num" }, number(r[4]), r[4] === undefined || r[4] === null || inside(r) ? null : el("span", { class: "soft" }, " outside"))))),
      (p.taken_for_granted || []).map((text) => el("p", { class: "soft small" }, "Taken for granted: ", said(text), ".")));
  }

  // Plots.
  function plots() {
    const made = (all.counts.histograms || []).map((h) => card(h.title, h.about, bars(h.counts, (k) => `${percent(k / h.counts.length)} to ${percent((k + 1) / h.counts.length)}`, "0%", "100%", h.median)));
    const t = all.throughput;
    if (t && t.pages.length * t.span_seconds > 1) made.push(card("Throughput", `pages in each ${time(t.span_seconds)} of the run that began ${when(t.started_at)}`, bars(t.pages, (k) => `after ${time(k * t.span_seconds)}`, "0 s", time(t.span_seconds * t.pages.length))));
    return [made.length ? el("div", { class: "grid" }, made) : null, all.trust?.length ? el("div", { class: "grid pairs" }, all.trust.map(trust)) : null];
  }
  function trust(t) {
    const worst = Math.max(.01, ...t.risks.map(([, wrong]) => wrong)), auc = t.auc == null ? "" : `; AUC ${t.auc.toFixed(3)}`;
    return [
      card(`Risk and coverage of ${t.what}`, `the share that is wrong among the surest of ${n(t.answers)} with a label, ${n(t.wrong)} of them wrong${auc}`, curve(t.risks.map(([x, y]) => [x, y / worst]), t.risks.map(([x, y]) => `surest ${percent(x)}: ${fine(y)} wrong`), `${fine(worst)} wrong`, "the surest of them")),
      card(`Calibration of ${t.what}`, `the share that is right by confidence; larger dots stand for more of them, and the thin line for where the two are the same; mean distance ${fine(t.calibration_error)}`, curve(t.bins, t.bins.map(([x, y, many]) => `confidence ${percent(x)}: ${percent(y)} of ${n(many)} right`), "100% right", "confidence", true)),
    ];
  }
  function curve(points, labels, top, below, diagonal) {
    const width = 400, height = 110, most = diagonal ? Math.max(...points.map((p) => p[2])) : 1, at = ([x, y]) => [(x * width).toFixed(1), (height - y * height).toFixed(1)];
    return el("figure", {}, svg("svg", { viewBox: `0 -14 ${width} ${height + 32}`, role: "img", "aria-label": labels.join("; ") },
      svg("line", { class: "axis", x1: 0, x2: width, y1: height + .5, y2: height + .5 }),
      diagonal ? svg("line", { class: "same", x1: 0, x2: width, y1: height, y2: 0 }) : null,
      svg("polyline", { class: "curve", points: points.map((p) => at(p).join(",")).join(" ") }),
      points.map((p, k) => svg("circle", { class: "bin", cx: at(p)[0], cy: at(p)[1], r: diagonal ? (2.5 + 4 * Math.sqrt(p[2] / most)).toFixed(1) : 3 }, svg("title", {}, labels[k]))),
      svg("text", { x: 0, y: -5 }, top), svg("text", { x: 0, y: height + 15 }, "0%"), svg("text", { x: width / 2, y: height + 15, "text-anchor": "middle" }, below), svg("text", { x: width, y: height + 15, "text-anchor": "end" }, "100%")));
  }
  function bars(values, place, first, last, median) {
    const width = 400, height = 110, top = Math.max(1, ...values), step = width / values.length;
    const at = (value) => Math.max(value ? 2 : 0, height * value / top);
    return el("figure", {}, svg("svg", { viewBox: `0 -14 ${width} ${height + 32}`, role: "img", "aria-label": values.map((v, k) => (v ? `${place(k)}: ${n(v)}` : null)).filter(Boolean).join("; ") },
      svg("line", { class: "axis", x1: 0, x2: width, y1: height + .5, y2: height + .5 }),
      values.map((v, k) => (v ? svg("rect", { class: "bin", x: (k * step + .75).toFixed(2), width: (step - 1.5).toFixed(2), y: (height - at(v)).toFixed(2), height: at(v).toFixed(2), rx: 1 }, svg("title", {}, `${place(k)}: ${n(v)}`)) : null)),
      median === undefined ? null : [svg("line", { class: "median", x1: width * median, x2: width * median, y1: -2, y2: height }), svg("text", { x: width * median, y: -5, "text-anchor": median > .85 ? "end" : median < .15 ? "start" : "middle" }, `median ${percent(median)}`)],
      svg("text", { x: 0, y: height + 15 }, first), svg("text", { x: width, y: height + 15, "text-anchor": "end" }, last)));
  }

  // The list of documents.
  const COLUMNS = [["name", "Document"], ["quality", "Quality"], ["status", "Status"], ["pages", "Pages", true], ["bad", "Not read", true], ["values_bad", "Bad values", true]];
  const bad = (entry) => (entry.pages || "").replace(/[ob]/g, "").length;
  const SORTS = { name: (d) => name(d).toLowerCase(), quality: (d) => d.quality || 0, status: (d) => d.status, pages: (d) => (d.pages || "").length, bad, values_bad: (d) => d.values_bad || 0 };
  function documents() {
    const body = el("tbody"), count = el("span", { class: "soft small", role: "status" }), header = el("tr"), chips = el("div", { class: "chips", role: "group", "aria-label": "status" });
    const search = el("input", { type: "search", id: "search", placeholder: "Search names", "aria-label": "Search names", oninput: () => { list.query = search.value; draw(); } });
    search.value = list.query;
    const statuses = Object.entries(all.documents_by_status).sort((a, b) => b[1] - a[1]);
    let found = [], watcher = null;
    const more = el("div", { class: "empty", "aria-hidden": "true" });
    function draw() {
      const words = list.query.toLowerCase().split(/\s+/).filter(Boolean), by = SORTS[list.key];
      found = (all.documents || []).map((entry, number) => ({ entry, number, key: by(entry) }))
        .filter(({ entry }) => (!list.status || entry.status === list.status) && words.every((word) => entry.name.toLowerCase().includes(word)))
        .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.number - b.number) * (list.down ? -1 : 1));
      count.textContent = found.length ? few(found.length, "document") : "No document matches.";
      header.replaceChildren(...COLUMNS.map(([key, text, num]) => el("th", { scope: "col", class: num ? "num" : null, "aria-sort": list.key === key ? (list.down ? "descending" : "ascending") : null },
        el("button", { onclick: () => { list.down = list.key === key ? !list.down : Boolean(num); list.key = key; draw(); header.children[COLUMNS.findIndex((c) => c[0] === key)].firstChild.focus(); } }, text))));
      chips.replaceChildren(...[["", sum(statuses.map((s) => s[1]))], ...statuses].map(([status, many]) => el("button", { class: "chip", "aria-pressed": String(list.status === status), onclick: () => { list.status = status; draw(); } }, status ? dot(status, `${status} ${n(many)}`) : `all ${n(many)}`)));
      body.replaceChildren(); grow();
    }
    function grow() {
      const from = body.children.length;
      body.append(...found.slice(from, from + ROWS).map(row));
      more.textContent = body.children.length < found.length ? "…" : "";
    }
    watcher = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting) && body.children.length < found.length) grow(); }, { rootMargin: "600px" });
    watcher.observe(more);
    draw();
    const rows = el("table", { class: "documents", onkeydown: (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      const links = [...body.querySelectorAll("a")], at = links.indexOf(document.activeElement);
      if (at < 0) return;
      event.preventDefault(); (links[at + (event.key === "ArrowDown" ? 1 : -1)] || (event.key === "ArrowUp" ? search : links[at])).focus();
    } }, el("thead", {}, header), body);
    search.addEventListener("keydown", (event) => { if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); body.querySelector("a")?.focus(); } });
    keep = () => ({ rows: body.children.length, y: scrollY });
    return [el("div", { class: "head" }, el("h1", {}, "Documents"), el("p", { class: "soft small" }, said(plain(all.prefix))), el("p", { class: "why" }, "Quality is that of a document’s worst page: 0% where it failed, 20% at most where it was read in part, 40% at most with a value that does not hold, and else the least of its values’ confidences, of the mean of its lines’, and of its agreement with the text layer.")),
      el("section", { class: "card" }, el("div", { class: "tools" }, search, chips, count), el("div", { class: "scroll" }, rows), more)];
  }
  function row({ entry, number }) {
    const meter = el("i", { class: tone(entry.quality || 0) }); meter.style.width = percent(entry.quality || 0);
    return el("tr", {}, el("td", {}, el("a", { href: address(number, worst(entry)) }, said(name(entry)))),
      el("td", { class: "status" }, el("span", { class: "meter", "aria-hidden": "true" }, meter), percent(entry.quality || 0)), el("td", {}, dot(entry.status)),
      el("td", { class: "num" }, n((entry.pages || "").length)), el("td", { class: `num${bad(entry) ? "" : " soft"}` }, n(bad(entry))), el("td", { class: `num${entry.values_bad ? "" : " soft"}` }, n(entry.values_bad)));
  }
  const worst = (entry) => Math.max(0, (entry.pages || "").search("f"), (entry.pages || "").includes("f") ? 0 : (entry.pages || "").search("p"));

  // One page.
  async function reader(number, at) {
    const entry = all.documents[number], pages = entry.pages || "", index = Math.min(Math.max(0, at), Math.max(0, pages.length - 1));
    const go = (to) => { location.hash = to; };
    const order = [
      el("button", { "aria-label": "previous page", disabled: index === 0, onclick: () => go(address(number, index - 1)) }, "‹"),
      el("span", { class: "small" }, pages ? `page ${n(index + 1)} of ${n(pages.length)}` : "no pages"),
      el("button", { "aria-label": "next page", disabled: index >= pages.length - 1, onclick: () => go(address(number, index + 1)) }, "›"),
    ];
    const top = [
      el("div", { class: "page-head" }, el("h1", {}, el("a", { href: "#documents", class: "crumb" }, "Documents"), " / ", said(name(entry))), el("div", { class: "stepper" }, order)),
      pages.length > 1 ? strip(number, pages, index) : null,
    ];
    if (!pages) return [...top, el("div", { class: "panel" }, noteSection(entry.notes || []) || el("p", { class: "empty" }, "Nothing is known of its pages."))];
    const one = await page(entry.first + index), sheet = drawing(one, entry.first + index);
    return [...top, el("div", { class: "spread" }, el("div", { class: "picture" }, layers(sheet), pictured.has(entry.first + index) ? null : el("p", { class: "small soft missing" }, said(plain(`No picture: ${all.unpictured[entry.first + index] || "this page was not asked for (--pictures, --all-pictures)"}`))), el("div", { class: "sheet", tabindex: "0", "aria-label": "picture of the page" }, sheet)), panel(one, entry))];
  }
  const strip = (number, pages, index) => {
    const from = Math.max(0, Math.min(index - 200, pages.length - 400));
    return el("nav", { class: "strip", "aria-label": "pages" }, [...pages.slice(from, from + 400)].map((letter, k) => el("a", { href: address(number, from + k), class: STATUS[letter], title: `page ${from + k + 1}: ${STATUS[letter]}`, "aria-label": `page ${from + k + 1}: ${STATUS[letter]}`, tabindex: from + k === index ? 0 : -1, "aria-current": from + k === index ? "page" : null })));
  };
  function drawing(one, number) {
    const width = one.width || 612, height = one.height || 792, from = picture(number);
    const sheet = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "boxes", "data-width": width },
      from ? svg("image", { href: from, width, height, preserveAspectRatio: "none" }) : null);
    for (const kind of ["lines", "tables", "things", "fields"]) sheet.append(svg("g", { class: kind, "data-kind": kind }, boxes(one, kind)));
    sheet.addEventListener("click", (event) => { const id = event.target.dataset?.of; if (id) $(id)?.focus(); });
    sheet.addEventListener("pointerover", (event) => light(event.target.dataset?.of, true));
    sheet.addEventListener("pointerout", (event) => light(event.target.dataset?.of, false));
    return sheet;
  }
  const rough = (item) => (item.rough ? "rough" : ""); // no place, but what was looked at: seen only while it is lit
  function boxes(one, kind) {
    const box = (rect, id, text, extra) => (rect ? svg("rect", { class: `box ${extra || ""}`, "data-of": id, x: rect[0], y: rect[1], width: Math.max(.5, rect[2] - rect[0]), height: Math.max(.5, rect[3] - rect[1]) }, svg("title", {}, String(text).slice(0, 200))) : null);
    if (kind === "tables") return (one.tables || []).map((t, k) => [box(t.rect, `tables-${k}`, "table", rough(t)), (t.cells || []).map((c, i) => box(c.rect, `cell-${k}-${i}`, c.text || "", `cell ${rough(c)}`))]);
    return (one[kind] || []).map((item, k) => box(item.rect, `${kind}-${k}`, kind === "fields" ? `${item.name}: ${item.raw || item.status}` : item.text, rough(item)));
  }
  function layers(sheet) {
    const set = () => {
      for (const group of sheet.querySelectorAll("g")) group.style.display = shown[group.dataset.kind] ? "" : "none";
      sheet.style.width = zoom ? `${sheet.dataset.width * zoom}px` : "100%"; sheet.style.maxWidth = zoom ? "none" : "900px";
    };
    const by = (factor) => { zoom = factor && Math.min(6, Math.max(.3, (zoom || sheet.clientWidth / sheet.dataset.width) * factor)); set(); };
    sheet.addEventListener("pagemill-zoom", (event) => by(event.detail));
    set();
    return el("div", { class: "layers" }, KINDS.map(([kind, text]) => sheet.querySelector(`g.${kind} .box`) ? el("label", { class: kind }, el("input", { type: "checkbox", ...(shown[kind] ? { checked: true } : {}), onchange: (event) => { shown[kind] = event.target.checked; set(); } }), el("i", { class: "swatch" }), text) : null),
      el("div", { class: "zoom" }, el("button", { "aria-label": "smaller", onclick: () => by(1 / 1.25) }, "−"), el("button", { "aria-label": "as wide as there is room", onclick: () => by(0) }, "Fit"), el("button", { "aria-label": "larger", onclick: () => by(1.25) }, "+")));
  }
  function light(id, on) {
    if (!id) return;
    for (const box of document.querySelectorAll(`.box[data-of="${CSS.escape(id)}"]`)) box.classList.toggle("lit", on);
    $(id)?.classList.toggle("lit", on);
  }

  // What was read of it.
  const line = (piece, k) => {
    const made = edits.get(key(open.one, `lines-${k}`));
    return item("lines", k, piece, made ? [said(made.after || "taken out", { class: made.after ? "edited" : "edited none" }), el("span", { class: "about" }, said(piece.text))] : said(piece.text), made || piece.confidence === undefined || piece.confidence >= UNSURE ? null : el("span", { class: "sure", title: "how sure the model’s reading of this line is" }, percent(piece.confidence)), pencil(`lines-${k}`));
  };
  function panel(one, entry) {
    open = { one, entry };
    const facts = [dot(one.status), one.width ? `${Math.round(one.width)} × ${Math.round(one.height)} pt` : null, one.source ? `text from the ${one.source === "model" ? "model" : "text layer"}` : null, `quality ${percent(one.quality)}`, one.seconds ? time(one.seconds) : null, one.engine ? said(one.engine) : null];
    const text = one.lines?.length ? el("ol", { class: "text" }, one.lines.map(line)) : one.text ? said(one.text) : null;
    return el("div", { class: "panel" }, el("div", { class: "facts" }, facts.filter(Boolean).map((fact) => el("span", {}, fact))),
      noteSection([...(one.notes || []), ...(entry.notes || [])]),
      section("fields", "Fields", one.fields, (f, k) => field(f, k)),
      section("things", "Found", one.things, (t, k) => item("things", k, t, said(t.text), t.confidence === undefined ? null : el("span", { class: "soft small" }, ` ${percent(t.confidence)}`))),
      section("tables", "Tables", one.tables, (t, k) => item("tables", k, t, el("h3", { class: "soft" }, `${t.n_rows} × ${t.n_cols}`), grid(t, k))),
      text ? el("section", { class: "lines" }, el("h2", {}, el("i", { class: "swatch" }), "Text", el("span", { class: "count" }, one.lines?.length ? few(one.lines.length, "line") : "")), text) : null,
      one.agreement ? agreed(one.agreement) : null,
      one.asked?.length ? el("section", {}, el("h2", {}, "What was asked", el("span", { class: "count" }, n(one.asked.length))), one.asked.map(asked)) : null,
      one.status === "blank" ? el("p", { class: "empty" }, "There is nothing on this page.") : null);
  }
  const section = (kind, title, found, each) => found?.length ? el("section", { class: kind }, el("h2", {}, el("i", { class: "swatch" }), title, el("span", { class: "count" }, n(found.length))), el("div", {}, found.map(each))) : null;
  function item(kind, k, piece, ...children) {
    const id = `${kind}-${k}`, tag = kind === "lines" ? "li" : "div";
    // One stop of the tab key a list; within it, the arrows move.
    return el(tag, { id, class: `item${piece.rect ? " boxed" : ""}`, tabindex: k === 0 ? 0 : -1, "data-list": kind, onfocus: () => { light(id, true); reveal(id); }, onblur: () => light(id, false), onpointerenter: () => light(id, true), onpointerleave: () => { if (document.activeElement?.id !== id) light(id, false); } }, children);
  }
  function reveal(id) {
    const box = document.querySelector(`.box[data-of="${CSS.escape(id)}"]`), sheet = box?.closest(".sheet");
    if (!sheet) return;
    const a = box.getBoundingClientRect(), b = sheet.getBoundingClientRect();
    if (a.top < b.top || a.bottom > b.bottom) sheet.scrollTop += a.top - b.top - (b.height - a.height) / 2;
    if (a.left < b.left || a.right > b.right) sheet.scrollLeft += a.left - b.left - (b.width - a.width) / 2;
  }
  function field(f, k) {
    const made = edits.get(key(open.one, `fields-${k}`));
    if (made) return item("fields", k, f, el("div", { class: "value", title: f.question }, said(f.name, { class: "name" }), made.value === null ? el("span", { class: "read none edited" }, "not on the page") : said(made.value, { class: "read edited" }), pencil(`fields-${k}`), el("span", { class: "about" }, "corrected; was ", said(f.raw || f.status))));
    const about = [f.reason, f.meaning && f.meaning !== f.raw ? `= ${f.meaning}` : null, f.value_source === "human" ? "corrected by hand" : null, f.rough ? `somewhere ${f.box_source === "page" ? "on the page" : "in what was read at once"}` : null].filter(Boolean);
    return item("fields", k, f, el("div", { class: "value", title: f.question }, said(f.name, { class: "name" }), f.raw ? said(f.raw, { class: "read" }) : el("span", { class: "read none" }, f.status),
      el("span", { class: "small soft" }, f.confidence === undefined ? null : `${percent(f.confidence)} `, f.status === "ok" || !f.raw ? null : dot(f.status)), pencil(`fields-${k}`), about.length ? el("span", { class: "about" }, said(about.join(" · "))) : null));
  }
  function grid(t, k) {
    const rows = Array.from({ length: Math.min(t.n_rows, 2000) }, () => el("tr"));
    (t.cells || []).forEach((c, i) => {
      const id = `cell-${k}-${i}`;
      rows[c.row]?.append(el("td", { id, rowspan: c.rows || 1, colspan: c.cols || 1, onpointerenter: () => light(id, true), onpointerleave: () => light(id, false) }, said(c.text || "")));
    });
    return el("div", { class: "scroll" }, el("table", { class: "cells" }, el("tbody", {}, rows)));
  }
  function noteSection(found) {
    return found.length ? el("section", {}, el("h2", {}, "Notes", el("span", { class: "count" }, n(found.length))), found.map((note) => el("div", { class: "note partial" }, el("b", { class: "mono" }, `${note.stage}/${note.code}`), note.task ? el("span", { class: "soft small" }, " ", said(note.task)) : null, el("div", { class: "small" }, said(plain(note.message)))))) : null;
  }
  function agreed(a) {
    const words = (title, found) => found?.length ? [el("h3", { class: "soft" }, title), el("div", { class: "words" }, found.map((word) => said(word)))] : null;
    return el("section", {}, el("h2", {}, "Against the text layer", el("span", { class: "count" }, `${percent(a.score)} of words in common`)), words("Only the model has", a.only_model), words("Only the text layer has", a.only_layer), a.only_model?.length || a.only_layer?.length ? null : el("p", { class: "empty" }, "Both say the same words."));
  }
  function asked(a) {
    return el("details", { class: "asked" }, el("summary", {}, said(a.prompt || a.task), el("span", { class: "soft small" }, ` · ${a.view} · rung ${(a.rung || 0) + 1} · ${few(a.tokens, "token")}${a.finish === "stop" ? "" : ` · ${a.finish}`}${a.odds === undefined ? "" : ` · ${percent(a.odds)}`}`)), el("pre", { class: "said", dir: "auto", tabindex: "0" }, a.raw || ""));
  }

  // Corrections: made here, saved as a file that `pagemill rerun --corrections` reads. Nothing is sent anywhere.
  const key = (one, part) => `${one.source_id}/${one.index}/${part}`;
  const store = () => `pagemill ${all.sink} ${all.made_at}`;
  function remember() { try { localStorage.setItem(store(), JSON.stringify([...edits])); } catch { /* not every browser keeps things for files */ } }
  function recall() { try { for (const [name_, edit] of JSON.parse(localStorage.getItem(store()) || "[]")) edits.set(name_, edit); } catch { /* as above */ } }
  function correct(part, edit) {
    if (edit) edits.set(key(open.one, part), { source_id: open.one.source_id, page_index: open.one.index, source_uri: open.entry.name, ...edit });
    else edits.delete(key(open.one, part));
    remember(); unsaved(); redraw(part);
  }
  function unsaved() {
    const button = $("save");
    button.hidden = !edits.size;
    button.textContent = `Save ${few(edits.size, "correction")}`;
  }
  function save() {
    const found = [...edits.values()], file = { pagemill: "corrections", sink: all.sink, made_at: new Date().toISOString(), fields: found.filter((e) => "name" in e), lines: found.filter((e) => "line" in e) };
    const link = el("a", { href: URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" })), download: "corrections.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  function redraw(part) {
    const [kind, k] = part.split("-"), old = $(part), made = kind === "fields" ? field(open.one.fields[k], Number(k)) : line(open.one.lines[k], Number(k));
    made.tabIndex = old.tabIndex; old.replaceWith(made); made.focus({ preventScroll: true });
  }
  const pencil = (part) => el("button", { class: "pencil", tabindex: -1, "aria-label": "correct", title: "correct (e)", onclick: (event) => { event.stopPropagation(); edit(part); } }, "✎");
  function edit(part) {
    const [kind, k] = part.split("-"), isField = kind === "fields", from = open.one[kind][k], made = edits.get(key(open.one, part)), before = isField ? from.raw || "" : from.text;
    const input = el("input", { type: "text", class: "edit said", dir: "auto", "aria-label": `true value of ${isField ? from.name : `line ${Number(k) + 1}`}` });
    input.value = made ? made.value ?? made.after ?? "" : before;
    const about = (text) => (isField ? { name: from.name, value: text } : { line: Number(k), before, after: text ?? "" });
    const done = (text) => correct(part, !isField && text === before ? null : about(text)); // a value that is taken as it is is confirmed
    const form = el("form", { class: "editor", onsubmit: (event) => { event.preventDefault(); done(input.value.trim() || (isField ? null : "")); }, onkeydown: (event) => { event.stopPropagation(); if (event.key === "Escape") redraw(part); } },
      input, el("button", { class: "chip" }, "Take"), el("button", { class: "chip", type: "button", onclick: () => done(null) }, isField ? "Not on the page" : "Take out"), made ? el("button", { class: "chip", type: "button", onclick: () => correct(part, null) }, "As it was") : null);
    $(part).replaceChildren(form);
    input.focus(); input.select();
  }

  // Where one is, and how one moves.
  async function show() {
    const [, number, at] = location.hash.match(/^#document\/(\d+)\/(\d+)$/) || [];
    const reading = number !== undefined && Number(number) < (all.documents || []).length, wanted = location.hash;
    let content;
    try { content = reading ? await reader(Number(number), Number(at) - 1) : location.hash === "#documents" ? documents() : overview(); }
    catch (error) { content = [el("p", { class: "card" }, "The data of this page cannot be loaded: keep the report’s folder together.")]; if (error.message !== "missing") throw error; }
    if (location.hash !== wanted) return; // one has gone on meanwhile
    const part = reading ? "documents" : location.hash === "#documents" ? "documents" : "overview", focused = document.activeElement?.closest(".stepper") ? document.activeElement.getAttribute("aria-label") : null;
    document.body.className = reading ? "reading" : "";
    $("main").replaceChildren(...content.filter(Boolean));
    for (const link of document.querySelectorAll("#top nav a[data-part]")) link.toggleAttribute("aria-current", link.dataset.part === part);
    document.title = reading ? `${name(all.documents[number])} · ${all.title}` : all.title;
    scrollTo(0, 0);
    (focused && document.querySelector(`.stepper [aria-label="${focused}"]`) || $("main")).focus({ preventScroll: true });
  }
  function begin(overviewOf) {
    all = overviewOf; pictured = new Set(all.pictured || []);
    $("top").append(el("nav", { "aria-label": "report" }, el("a", { class: "brand", href: "#" }, said(all.title)), el("a", { href: "#", "data-part": "overview" }, "Overview"), el("a", { href: "#documents", "data-part": "documents" }, "Documents"), el("button", { id: "save", class: "chip", hidden: true, onclick: save }), el("button", { class: "soft", onclick: help }, "Keys ", el("kbd", {}, "?"))));
    const keys = [["/", "search documents"], ["↑ ↓", "move in a list"], ["Enter", "open"], ["← →", "page before, page after"], ["e", "correct a value or a line"], ["[ ]", "document before, document after"], ["+ − 0", "zoom in, out, fit"], ["1 2 3 4", "fields, lines, tables, found: hide or show"], ["Esc", "back"]];
    $("keys").append(el("h2", { id: "keys-title" }, "Keys"), el("dl", {}, keys.map(([key, what]) => [el("dt", {}, key.split(" ").map((one) => el("kbd", {}, one))), el("dd", {}, what)])), el("form", { method: "dialog" }, el("button", { class: "chip" }, "Close")));
    document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); $("main").focus(); });
    recall(); unsaved();
    addEventListener("hashchange", show);
    addEventListener("keydown", pressed);
    show();
  }
  const help = () => $("keys").showModal();
  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
    const from = event.target, typing = from.matches?.("input[type=search]");
    if (typing) { if (event.key === "Escape") from.blur(); return; }
    const [, number, at] = (location.hash.match(/^#document\/(\d+)\/(\d+)$/) || []).map(Number), sheet = document.querySelector(".sheet svg");
    const turn = (document_, page_) => { if (all.documents[document_] && page_ >= 0 && page_ < Math.max(1, (all.documents[document_].pages || "").length)) location.hash = address(document_, page_); };
    const scale = (factor) => sheet?.dispatchEvent(new CustomEvent("pagemill-zoom", { detail: factor }));
    const move = (by) => { const next = from.dataset?.list && $(`${from.dataset.list}-${Number(from.id.split("-")[1]) + by}`); if (next) { from.tabIndex = -1; next.tabIndex = 0; next.focus(); } return Boolean(from.dataset?.list); };
    const actions = {
      "/": () => { if (location.hash !== "#documents") { location.hash = "#documents"; setTimeout(() => $("search")?.focus(), 50); } else $("search").focus(); },
      "?": help,
      Escape: () => { if (number !== undefined) location.hash = "#documents"; else if (location.hash) location.hash = "#"; },
      ArrowRight: () => turn(number, at), ArrowLeft: () => turn(number, at - 2), "]": () => turn(number + 1, 0), "[": () => turn(number - 1, 0),
      "+": () => scale(1.25), "=": () => scale(1.25), "-": () => scale(1 / 1.25), 0: () => scale(0),
      e: () => { if (/^(fields|lines)-\d+$/.test(from.id || "")) edit(from.id); else return false; },
      ArrowDown: () => move(1), ArrowUp: () => move(-1),
    };
    KINDS.forEach(([kind], k) => { actions[k + 1] = () => document.querySelector(`.layers .${kind} input`)?.click(); });
    if (event.key in actions && actions[event.key]() !== false) event.preventDefault();
  }

  const inline = $("overview");
  if (inline) queueMicrotask(() => begin(JSON.parse(inline.textContent)));
  return { begin, take };
})();
