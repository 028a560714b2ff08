"""How the page looks: on a wide screen, on a narrow one, on paper; every mark also has a word or a shape."""

STYLE = """
:root { color-scheme: light; --ink: #1b1b1f; --soft: #51535c; --line: #8a8d98; --rule: #d5d7de; --paper: #ffffff;
  --tint: #f3f5f8; --deep: #0b4a6f; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 Georgia, "DejaVu Serif", serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1, h2, h3, th, caption, .meta, dt, figcaption, .code, nav { font-family: system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.3rem; margin: 2.8rem 0 .8rem; padding-bottom: .3rem; border-bottom: 2px solid var(--deep); }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p, ul, ol, dl { margin: .5rem 0; }
a { color: var(--deep); }
nav ol { columns: 2; column-gap: 2rem; padding-left: 1.4rem; }
.meta { color: var(--soft); font-size: .9rem; }
.lead { font-size: 1.08rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .82em; }
code { overflow-wrap: anywhere; }
pre { background: var(--tint); border: 1px solid var(--rule); padding: .8rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .8rem 0; background:
  linear-gradient(to right, var(--paper) 30%, transparent) left / 3rem 100% no-repeat local,
  linear-gradient(to left, var(--paper) 30%, transparent) right / 3rem 100% no-repeat local,
  linear-gradient(to right, var(--rule), transparent) left / .8rem 100% no-repeat scroll,
  linear-gradient(to left, var(--rule), transparent) right / .8rem 100% no-repeat scroll; }
.scroll:focus-visible { outline: 3px solid var(--deep); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: 0 0 .4rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 2px solid var(--line); font-size: .85rem; }
tbody th { font-weight: 600; font-size: .88rem; }
td.money, th.money { text-align: right; }
td.money { white-space: nowrap; font-variant-numeric: tabular-nums; }
.raw td code { font-size: .78rem; }
.warning { border-left: 4px solid var(--line); padding: .1rem 0 .1rem .9rem; margin: .9rem 0; }
.warning.danger { border-left: 8px double #8c1d18; }
.warning.caution { border-left-style: dashed; border-left-color: #7a4a00; }
.warning p { margin: .15rem 0; }
.tag { font-family: system-ui, "DejaVu Sans", sans-serif; font-size: .8rem; font-weight: 700; letter-spacing: .02em; }
.danger .tag { color: #8c1d18; }
.caution .tag { color: #7a4a00; }
figure { margin: 1rem 0; }
figcaption { color: var(--soft); font-size: .88rem; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; }
dt { font-weight: 600; margin-top: .7rem; }
dd { margin: 0 0 0 1.2rem; }
@media (max-width: 40rem) {
  main { padding: 1.25rem .9rem 3rem; }
  h1 { font-size: 1.5rem; }
  nav ol { columns: 1; }
  .wide { min-width: 38rem; }
}
@page { margin: 18mm 16mm; }
@media print {
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  .scroll { overflow: visible; }
  svg { min-width: 0; }
  h2, h3 { break-after: avoid; }
  tr, figure, .warning, dt, dd { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
