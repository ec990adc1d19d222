"""The look of every page: light and dark, wide and narrow, on screen and on paper."""

CSS = """
:root { color-scheme: light dark;
  --ground: #f6f7f9; --card: #fff; --ink: #16202c; --soft: #566173; --line: #e1e5eb;
  --current: #2f6fde; --currentsoft: #dbe7fb; --baseline: #b4570b; --accent: #1d55b3;
  --bad: #b3202c; --badsoft: #fdecee; --warn: #8a5300; --warnsoft: #fdf1dc;
  --good: #1c6b3c; --goodsoft: #e3f4e9; --hover: #f2f5fa; --shade: #0004; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #11151b; --card: #191f28; --ink: #e6eaf0; --soft: #9fabbb; --line: #2b3442;
  --current: #5b93f5; --currentsoft: #23385f; --baseline: #f2a355; --accent: #8db6ff;
  --bad: #ff8f96; --badsoft: #3d1f25; --warn: #f3c069; --warnsoft: #3a2d16;
  --good: #7fd6a0; --goodsoft: #1b3526; --hover: #202835; --shade: #000c; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
body > header, main, footer { max-width: 1320px; margin: 0 auto; padding: 0 1.5rem; }
body > header { padding-top: 2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; letter-spacing: -.01em; margin: 0 0 .25rem;
  overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
h4 { font-size: .85rem; margin: 0 0 .3rem; color: var(--soft); font-weight: 600;
  overflow-wrap: anywhere; }
p { margin: .25rem 0; }
a { color: var(--accent); text-underline-offset: 2px; }
.note, .soft { color: var(--soft); }
.note { font-size: .88rem; max-width: 75ch; overflow-wrap: anywhere; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
footer { color: var(--soft); font-size: .85rem; padding-block: 1rem 2.5rem; }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin: 1.25rem 0 .25rem; }
nav a { padding: .25rem .7rem; border: 1px solid var(--line); border-radius: 99px;
  background: var(--card); text-decoration: none; font-size: .9rem; }
nav a:hover { border-color: var(--accent); }
.count { color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.25rem 1.4rem; margin: 1rem 0; }

.about { display: flex; flex-wrap: wrap; gap: .15rem 1.6rem; margin: .4rem 0 0; font-size: .9rem; }
.about div { display: flex; gap: .45rem; min-width: 0; }
.about dt { color: var(--soft); }
.about dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .6rem; margin: 1.1rem 0 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: .6rem .9rem .7rem; }
.tiles dt { color: var(--soft); font-size: .82rem; }
.tiles dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.tiles a { color: inherit; }
.tiles .bad dd { color: var(--bad); } .tiles .warn dd { color: var(--warn); }
.tiles .good dd { color: var(--good); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .8rem 0 0; font-size: .9rem;
  color: var(--soft); }
.legend span::before { content: ""; display: inline-block; width: .9rem; height: .7rem;
  margin-right: .4rem; }
.legend .c::before { background: var(--current); border-radius: 2px; }
.legend .b::before { border-top: 2px solid var(--baseline); height: .25rem; }

.badge { display: inline-block; padding: 0 .5rem; border-radius: 99px; font-size: .76rem;
  font-weight: 600; white-space: nowrap; background: var(--line); color: var(--ink); }
.badge.bad { background: var(--badsoft); color: var(--bad); }
.badge.warn { background: var(--warnsoft); color: var(--warn); }
.badge.good { background: var(--goodsoft); color: var(--good); }
.banner { padding: .7rem 1rem; border-radius: 8px; font-weight: 600; margin: 0; }
.banner.good { background: var(--goodsoft); color: var(--good); }
.banner.bad { background: var(--badsoft); color: var(--bad); }
code { font: .8em ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--soft);
  overflow-wrap: anywhere; }

.finding { border-left: 3px solid var(--line); padding: .1rem 0 .2rem .9rem; margin: 0 0 1.1rem; }
.note + .finding { margin-top: .7rem; }
.finding:last-child { margin-bottom: 0; }
.finding.bad { border-color: var(--bad); } .finding.warn { border-color: var(--warn); }
.finding header { display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: baseline; }
.reasons { margin: .3rem 0 0; padding: 0; list-style: none; }
.reasons li { margin: .3rem 0; overflow-wrap: anywhere; }
.reasons code { display: inline-block; }
.detail .reasons { margin: 0 0 .8rem; padding: .5rem .8rem; background: var(--ground);
  border-radius: 8px; font-size: .9rem; }

details > summary { cursor: pointer; color: var(--accent); font-size: .86rem; width: fit-content; }
/* Nothing is cut without a sign of it: a shadow where there is more, and a bar that stays. */
.scroll { overflow-x: auto; background:
    linear-gradient(to right, var(--card) 1.5rem, transparent 3rem) local,
    linear-gradient(to left, var(--card) 1.5rem, transparent 3rem) local,
    linear-gradient(to right, transparent 2px, var(--shade) 2px, transparent .8rem),
    linear-gradient(to left, transparent 2px, var(--shade) 2px, transparent .8rem); }
.scroll::-webkit-scrollbar { height: 10px; }
.scroll::-webkit-scrollbar-track { background: var(--ground); border-radius: 5px; }
.scroll::-webkit-scrollbar-thumb { background: var(--soft); border-radius: 5px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th { text-align: left; font-size: .8rem; color: var(--soft); font-weight: 600;
  padding: .35rem .6rem; vertical-align: bottom; }
thead th { border-bottom: 1px solid var(--line); }
td, tbody > tr > th { padding: .35rem .6rem; vertical-align: top; overflow-wrap: break-word; }
tbody > tr > th { overflow-wrap: anywhere; min-width: 7rem; }
.w { white-space: nowrap; }
.n { text-align: right; }
.long { display: inline-block; min-width: 4.9rem; overflow-wrap: anywhere; }
.features td.n { font-size: .92rem; padding-inline: .45rem; }
.features td:first-child, .features th:first-child { padding-left: .2rem; }
th button { all: unset; cursor: pointer; }
th button:hover { color: var(--ink); }
th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort] button { color: var(--accent); }
th[aria-sort=ascending] button::after { content: " ↑"; }
th[aria-sort=descending] button::after { content: " ↓"; }

.find { display: none; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: 0 0 .6rem; }
.js .find { display: flex; }
.find input[type=search] { font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 8px; padding: .3rem .7rem; width: 15rem;
  max-width: 100%; }
.find label { display: inline-flex; gap: .4rem; align-items: center; font-size: .9rem; }
.find button { font: inherit; font-size: .86rem; color: var(--accent); background: none;
  border: 1px solid var(--line); border-radius: 8px; padding: .25rem .7rem; cursor: pointer; }
.find button[aria-pressed=true] { background: var(--accent); color: var(--card);
  border-color: var(--accent); }
.find output { color: var(--soft); font-size: .88rem; }

.features > tbody { border-bottom: 1px solid var(--line); }
.features > tbody:hover { background: var(--hover); }
.features > tbody:target { box-shadow: inset 3px 0 var(--accent); }
.features > tbody > tr:first-child > * { padding-top: .6rem; padding-bottom: 0; }
.features > tbody > tr + tr > td { padding-top: 0; padding-bottom: .5rem; }
.features > tbody > tr > th { color: inherit; font-size: .97rem; vertical-align: top;
  min-width: 9.5rem; max-width: 15rem; }
.drift > tbody > tr > th, .slices th[scope=row] { font-size: inherit; color: inherit; }
.slices > tbody { border-bottom: 1px solid var(--line); }
.slices > tbody > tr:first-child > * { padding-bottom: 0; }
.slices td.n { font-size: .92rem; }
.slices .name { overflow-wrap: anywhere; }
.slices tr + tr details { margin-bottom: .3rem; }
.drift td:last-child, .features td[data-label^=Most] { overflow-wrap: anywhere; min-width: 7rem; }
.part { margin-bottom: 1.6rem; }
.faults td { overflow-wrap: anywhere; }
.faults h4 { margin: .6rem 0 0; }
.faults > tbody > tr:first-child > * { padding-bottom: .35rem; width: 50%; }
.beside { display: flex; flex-wrap: wrap; gap: 0 1.4rem; }
.beside > [open] { flex-basis: 100%; min-width: 0; }
.features th .soft { font-size: .8rem; font-weight: 400; }
.was { display: block; color: var(--baseline); font-size: .8rem; }
.missing { color: var(--warn); font-weight: 600; }

svg { display: block; overflow: visible; }
/* By their own names alone: of what <use> repeats, nothing above it counts. */
path.c, rect.c { fill: var(--current); }
path.b { fill: none; stroke: var(--baseline); stroke-width: 1.6;
  vector-effect: non-scaling-stroke; }
rect.c, rect.b { height: 100%; }
rect.b { width: 2px; fill: var(--baseline); }
svg .hint { fill: transparent; } svg .hint:hover { fill: var(--ink); fill-opacity: .08; }
.spark { width: 9.5rem; height: 2.3rem; }
.spark .b { stroke-width: 1.2; }
.large { width: 100%; height: 9.5rem; border-bottom: 1px solid var(--soft); }
.quantiles { width: 100%; height: 1.9rem; }
.strip { width: 100%; min-width: 12rem; height: 1.7rem; border-bottom: 1px solid var(--line); }
.strip .good { fill: var(--good); } .strip .warn { fill: var(--warn); }
.strip .bad { fill: var(--bad); } .strip .new, .strip .none { fill: var(--soft); }
.strip rect:hover { fill-opacity: .6; }
.timelines td.chart { width: 45%; }
.finding .large { height: 7rem; max-width: 46rem; margin-top: .5rem; }
.finding .axis { max-width: 46rem; }
.figures table { width: auto; } .figures th, .figures td { padding: .1rem .8rem .1rem 0; }
.qc, .qb, .tc, .tb { fill: none; vector-effect: non-scaling-stroke; stroke: var(--current); }
.qb, .tb { stroke: var(--baseline); }
.qc, .qb { stroke-width: 5; stroke-opacity: .45; } .tc, .tb { stroke-width: 1.4; }
.plot { display: flex; gap: .4rem; }
.plot > svg { flex: 1; min-width: 0; }
.heights { display: flex; flex-direction: column; justify-content: space-between; width: 3.4rem;
  flex: none; text-align: right; color: var(--soft); font-size: .75rem; line-height: 1;
  font-variant-numeric: tabular-nums; }
.plot.logs, .logs .plot.plain, .heights .counts, .counts .heights .percent { display: none; }
.logs .plot.logs { display: flex; }
.counts .heights .counts { display: inline; }
.plot ~ .axis, .plot ~ .quantiles { margin-left: 3.8rem; }
.plot ~ .quantiles { width: calc(100% - 3.8rem); }
.axis { display: flex; justify-content: space-between; gap: 1rem; color: var(--soft);
  font-size: .8rem; margin: .15rem 0 .7rem; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.limit { width: 3px; height: 100%; fill: var(--ink); }
.bad .meter .c { fill: var(--bad); }
.scale { display: flex; justify-content: space-between; min-width: 9rem; }
.bar { width: 100%; min-width: 5rem; height: .8rem; margin-top: .32rem;
  background: var(--ground); border-radius: 2px; }

.detail { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem 2.2rem;
  padding: .8rem 0 .6rem; }
.detail th, .detail td { padding: .13rem .5rem .13rem 0; font-size: .88rem; }
.detail tbody > tr > th { font-weight: 400; color: var(--soft); min-width: 4.5rem; }
.detail > div { min-width: 0; }
.detail td:last-child { padding-right: 0; }
.texts td:nth-child(2) { width: 45%; }
.texts tbody > tr > th { color: var(--ink); max-width: 18rem; }
.rows td { white-space: nowrap; font-size: .85rem; }
.rows { width: max-content; }
.rows th { max-width: 12rem; overflow-wrap: anywhere; }
.rows .mark { background: var(--warnsoft); color: var(--ink); font-weight: 600; }

.matrix { width: auto; margin: 0 0 1.2rem; font-size: .8rem; }
.matrix td, .matrix th { padding: .2rem .3rem; text-align: center; min-width: 2.9rem; }
.matrix tbody > tr > th { text-align: right; white-space: nowrap; min-width: 0; font-size: .8rem; }
.matrix thead th { overflow-wrap: normal; border: 0; }
.matrix .self { color: var(--soft); }
.matrix .up { background: color-mix(in srgb, var(--current) var(--much), var(--card)); }
.matrix .down { background: color-mix(in srgb, var(--baseline) var(--much), var(--card)); }
.m0 { --much: 0%; } .m1 { --much: 14%; } .m2 { --much: 26%; } .m3 { --much: 38%; }
.m4 { --much: 50%; } .m5 { --much: 62%; }

@media (max-width: 760px) {
  body { font-size: 14.5px; }
  body > header, main, footer { padding-inline: .75rem; }
  section { padding: 1rem .85rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .find input[type=search] { width: 100%; }
  .texts td:nth-child(2) { width: 20%; }
  .texts .bar { min-width: 2.5rem; }
}
@media (max-width: 1080px) {
  .detail { grid-template-columns: minmax(0, 1fr); }
  .cards > thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  .cards, .cards > tbody { display: block; }
  .cards > tbody > tr:first-child { display: grid; gap: .35rem .8rem;
    grid-template-columns: repeat(auto-fill, minmax(5.2rem, 1fr)); padding: .7rem 0 .2rem; }
  .cards > tbody > tr:first-child > * { padding: 0; text-align: left; white-space: normal;
    min-width: 0; max-width: none; }
  .cards > tbody > tr:first-child > th { grid-column: 1 / -1; }
  .cards > tbody > tr:first-child > .chart { grid-column: 1 / -1; }
  .cards > tbody > tr + tr, .cards > tbody > tr + tr > td { display: block; padding-inline: 0; }
  .cards [data-label]::before { content: attr(data-label); display: block; color: var(--soft);
    font-size: .76rem; }
  .cards [data-label^=Most], .cards [data-label^=Differs],
  .cards [data-label^=Changed], .faults td { grid-column: 1 / -1; }
  .cards [data-label=Distance] { grid-column: span 2; }
  .timelines td.chart { width: auto; }
  .cards .spark { width: 100%; max-width: 30rem; height: 3rem; }
  .cards > tbody { border-bottom: 1px solid var(--line); }
  .faults > tbody > tr:first-child > * { width: auto; }
}
@media print { .find, nav { display: none; } section { break-inside: avoid-page; }
  body { background: none; } }
"""
