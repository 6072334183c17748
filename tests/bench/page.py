# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measurements as one page: bars with their spread, no script, no network."""

import html
import statistics

COLOURS = {"ice": "#1668b8", "nice": "#c0504d", "udp": "#7f7f7f", "raw": "#4e9a51", "aioice": "#b8862f"}
BAR, GAP, LABEL, WIDTH = 20, 8, 290, 480

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
svg text { font: 13px system-ui, sans-serif; fill: #222; }
p { max-width: 46rem; }
"""


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def bars(title, rows, unit):
    """rows: (label, variant, values). The bar is the median, the line from least to most."""
    rows = [row for row in rows if row[2]]
    if not rows:
        return ""
    top = max(max(values) for *_, values in rows) or 1
    height = len(rows) * (BAR + GAP) + GAP
    parts = [f'<h2>{html.escape(title)}</h2>',
             f'<svg role="img" aria-label="{html.escape(title)}" width="{LABEL + WIDTH + 130}" height="{height}">']
    for index, (label, variant, values) in enumerate(rows):
        y = GAP + index * (BAR + GAP)
        middle = statistics.median(values)
        width, low, high = (WIDTH * value / top for value in (middle, min(values), max(values)))
        parts += [
            f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{html.escape(label)}</text>',
            f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[variant]}"/>',
            f'<line x1="{LABEL + low:.1f}" x2="{LABEL + high:.1f}" y1="{y + BAR / 2}" y2="{y + BAR / 2}" stroke="#000"/>',
            f'<text x="{LABEL + max(width, high) + 8:.1f}" y="{y + 15}">{number(middle)} {html.escape(unit)}</text>',
        ]
    return "\n".join([*parts, "</svg>"])


def values(rounds, name, key):
    return [r[name][key] for r in rounds if r.get(name) and r[name].get(key) is not None]


def document(title, parts):
    """A whole page."""
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>gst-ice: {html.escape(title)}</title>
<style>{STYLE}</style>
<h1>{html.escape(title)}</h1>
<p>A bar is the median of the rounds, the line goes from the least to the most. Variants ran in turn within each round:
only what stands side by side can be compared.</p>
{chr(10).join(parts)}
</html>
"""


def media_parts(found, throughput, latency, relayed=(), flooded=()):
    parts = ["""<p>Media: our elements (ice), libnice's (nice), udpsink and udpsrc (udp) and the kernel alone (raw), over
loopback.</p>"""]
    for size, rounds in found["throughput"].items():
        for title, key, unit, scale in (
                ("CPU of both sides for each packet", "cpu_us", "us", 1), ("Packets a second, none lost", "pps", "k/s", 1000)):
            rows = [(name, variant, [v / scale for v in values(rounds, name, key)]) for name, variant, *_ in throughput]
            parts.append(bars(f"{title}, {size} bytes", rows, unit))
    for key in ("p50_us", "p99_us"):
        rows = [(name, variant, values(found["latency"], name, key)) for name, variant, _ in latency]
        parts.append(bars(f"Latency from push to receiver, {key[:3]}, 1200 bytes", rows, "us"))
    rows = [(name, variant, values(found["relayed"], name, "tx_cpu_us")) for name, variant, *_ in relayed]
    parts.append(bars("Through coturn: CPU of the sender for each packet, 1200 bytes", rows, "us"))
    for title, key, unit in (
            ("packets lost of 4,000", "lost", ""), ("latency, p50", "p50_us", "us"), ("latency, p99", "p99_us", "us")):
        rows = [(name, variant, values(found["flooded"], name, key)) for name, variant in flooded]
        parts.append(bars(f"1,000 packets a second under a stranger's flood: {title}", rows, unit))
    return parts


def media(found, *what):
    return document("What media costs", media_parts(found, *what))


def scale_parts(rounds, runs):
    """runs: (name, variant, ...)."""
    parts = ["<p>Pairs of agents in one process, on loopback, with consent.</p>"]
    for title, key, unit in (
            ("Idle CPU of each pair and second", "idle_cpu_us", "us"), ("Memory of each pair", "rss_kib", "KiB"),
            ("Pairs a second, connecting at once", "pairs_per_s", "/s"),
            ("CPU of connecting a pair", "connect_cpu_us", "us"), ("Threads", "threads", ""),
            ("Descriptors of each pair", "fds", "")):
        rows = [(name, variant, values(rounds, name, key)) for name, variant, *_ in runs]
        parts.append(bars(title, rows, unit))
    return parts


def connect_parts(rounds, cases, agents):
    """cases: (name, ...); a run is called "CASE / AGENT"."""
    parts = ["""<p>Time to connect, from when both agents were ready: ours (ice), libnice's (nice) and aioice, the later of
the two sides.</p>"""]
    for title, key in (("Connected", "connected_ms"), ("The first packet has come", "media_ms")):
        for name, *_ in cases:
            rows = [(agent, agent, values(rounds, f"{name} / {agent}", key)) for agent in agents]
            parts.append(bars(f"{title}: {name}", rows, "ms"))
    return parts


def core_parts(rounds):
    rows = [(name, "ice", values(rounds, name, "per_s")) for name in sorted({name for each in rounds for name in each})]
    return ["<p>The core alone, in a second of CPU.</p>", bars("The core alone", rows, "/s")]
