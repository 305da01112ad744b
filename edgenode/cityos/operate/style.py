"""How a report looks: on a screen, light or dark, and on paper."""

CSS = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1a1d21; --soft: #55606b;
  --grid: #e0e4e8; --data: #1f6fb2; --fill: #1f6fb238; --ok: #2f8f5b; --doubt: #c77700;
  --none: #b3261e; --held: #6b5bb5; --mark: #8a2be2; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --ink: #e8ecef; --soft: #a3aeb9;
  --grid: #2c343c; --data: #6db3f2; --fill: #6db3f240; --ok: #5cc28c; --doubt: #f0ad4e;
  --none: #ff7b72; --held: #b3a5f5; --mark: #d9a5ff; } }
@media print { :root { color-scheme: light; --paper: #ffffff; --ink: #000000; --soft: #404040;
  --grid: #d8d8d8; --data: #1f6fb2; --fill: #1f6fb238; --ok: #2f8f5b; --doubt: #c77700;
  --none: #b3261e; --held: #6b5bb5; --mark: #8a2be2; } main { max-width: none; padding: 0; }
  details::details-content { content-visibility: visible; block-size: auto; }
  svg, figcaption, tr, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; } }
* { box-sizing: border-box; }
body { margin: 0; overflow-wrap: anywhere; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; } h2 { margin: 2.5rem 0 .5rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1.05rem; } p { margin: .5rem 0; }
.soft, figcaption, summary, caption { color: var(--soft); font-size: .9rem; }
ul { padding-left: 1.2rem; } .bad { color: var(--none); font-weight: 600; }
figure { margin: .5rem 0 1.25rem; } figcaption { margin: .15rem 0 .35rem; }
svg { display: block; width: 100%; height: auto; }
svg .label { fill: var(--soft); font-size: 11px; } svg .grid { stroke: var(--grid); fill: none; }
svg .axis { stroke: var(--soft); fill: none; }
svg .mark { stroke: var(--mark); stroke-dasharray: 4 3; fill: none; }
svg .data { fill: var(--fill); stroke: var(--data); stroke-width: 1.25; stroke-linejoin: round; }
svg .bar { fill: var(--data); } svg .ok { fill: var(--ok); } svg .doubt { fill: var(--doubt); }
svg .none { fill: var(--none); } svg .held { fill: var(--held); }
.key { white-space: nowrap; } .key::before { content: ""; display: inline-block; width: .7em;
  height: .7em; margin-right: .35em; background: currentColor; }
.key.ok { color: var(--ok); } .key.doubt { color: var(--doubt); } .key.none { color: var(--none); }
.key.held { color: var(--held); } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .6rem .15rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--grid); } .n { text-align: right; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; }
"""
