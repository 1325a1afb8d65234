#include <act/report/pages/inspection_page_parts.hpp>

namespace act::report {

const std::string_view inspection_page_style = R"css(
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 84em; padding: 1em; }
h1 { font-size: 1.4em; margin: 0 0 .4em; overflow-wrap: anywhere; } h2 { font-size: 1.1em; margin: 1.6em 0 .4em; }
p { margin: .3em 0; max-width: 60em; overflow-wrap: anywhere; } .quiet { color: var(--quiet); font-size: 13px; }
pre { font-size: 12px; margin: 0; } .scroll { overflow-x: auto; max-width: 100%; }
.side { display: flex; flex-wrap: wrap; gap: 0 2.5em; align-items: flex-start; } .side > div { min-width: 0; max-width: 100%; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
table.heat { border-collapse: separate; border-spacing: 1px; font-size: 10px; font-variant-numeric: tabular-nums; }
table.heat th { font-weight: normal; color: var(--quiet); padding: 0 .4em; text-align: right; } table.heat th[data-l] { cursor: pointer; }
table.heat td { min-width: 1.9em; height: 1.5em; padding: 0; text-align: center; cursor: pointer; }
table.heat .picked { box-shadow: inset 0 0 0 1.5px var(--mark); } table.heat .none { color: var(--quiet); }
table.heat .chosen { outline: 2px solid var(--mark); }
#maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19em), 1fr)); gap: 1em 1.5em; max-width: 80em; }
figure { margin: 0; min-width: 0; } figcaption { font-size: 13px; font-weight: 600; }
canvas { display: block; width: 100%; max-width: 510px; touch-action: manipulation; } #atlas { width: auto; max-width: 100%; cursor: pointer; }
.scale, .steps { max-width: 510px; } .scale { height: 8px; margin-top: .4em; border: 1px solid var(--line); }
.steps { display: flex; justify-content: space-between; font-size: 11px; color: var(--quiet); }
#under { position: sticky; bottom: 0; background: var(--paper); white-space: pre-line; padding: .3em 0; max-width: none; font-size: 14px; font-variant-numeric: tabular-nums; }
#tokens { font: 13px/2 ui-monospace, monospace; max-width: 60em; overflow-wrap: anywhere; white-space: pre-wrap; }
#tokens span { padding: .15em 0; border-radius: 2px; } #tokens .sink { outline: 2px solid var(--mark); }
#tokens .pointed { outline: 2px solid var(--ink); } #tokens .from { text-decoration: underline 2px; }
#list { max-height: 40em; overflow: auto; } table.list { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table.list td, table.list th { padding: 0 .9em .1em 0; text-align: right; font-size: 12px; font-weight: normal; white-space: pre; } table.list th { color: var(--quiet); }
svg { height: auto; display: block; }
)css";

const std::string_view inspection_page_script = R"js(
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const {layers, heads, side} = data, perHead = data.per === 'head';
  const byId = id => document.getElementById(id);
  const bytesOf = text => {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < bytes.length; ++i) bytes[i] = raw.charCodeAt(i);
    return bytes;
  };
  const percent = share => (100 * share).toFixed(Math.abs(share) < 0.0995 ? 2 : 1) + ' %';
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const range = (first, count) => Array.from({length: count}, (_, i) => first + i);
  const element = (name, text, parent) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };
  const showList = (header, rows) => {
    const list = byId('list');
    list.replaceChildren();
    if (rows.length === 0) { element('p', 'No sinks here.', list); return; }
    const table = element('table', undefined, list);
    table.className = 'list';
    const top = element('tr', undefined, table);
    header.forEach(text => element('th', text, top));
    rows.forEach(row => {
      const line = element('tr', undefined, table);
      row.forEach(text => element('td', text, line));
    });
  };

  // What is chosen: a layer and a head. Head -1 is the mean of the layer's heads, layer -1 that of all.
  let chosen = {layer: -1, head: -1};
  const nameOf = ({layer, head}) => layer < 0 ? 'Mean of all heads'
    : head < 0 ? 'Layer ' + layer + ', mean of its heads' : 'Layer ' + layer + ', head ' + head;
  const headsOf = ({layer, head}) => layer < 0 ? range(0, layers * heads)
    : head < 0 ? range(layer * heads, heads) : [layer * heads + head];

  // Colours: the palettes' stops, mixed once for light or dark.
  const darkness = matchMedia('(prefers-color-scheme: dark)');
  const mixed = (stops, steps) => Array.from({length: steps + 1}, (_, step) => {
    const at = step / steps * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2);
    return stops[i].map((low, k) => Math.round(low + (at - i) * (stops[i + 1][k] - low)));
  });
  let shareColours, changeColours;
  const mixColours = () => {
    const palette = data.palettes[darkness.matches ? 'dark' : 'light'];
    shareColours = mixed(palette.shares, 255);
    changeColours = mixed(palette.changes, 510);
    const bar = colours => 'linear-gradient(to right,' +
      colours.filter((_, i) => i % 15 === 0).map(c => 'rgb(' + c.join(',') + ')').join(',') + ')';
    document.querySelectorAll('.scale').forEach(scale => {
      scale.style.background = bar(scale.classList.contains('change') ? changeColours : shareColours);
    });
  };
  const colourOfShare = share => shareColours[Math.round(255 * Math.sqrt(clamp(share, 0, 1)))];
  const colourOfChange = change =>
    changeColours[Math.round(255 + 255 * Math.sign(change) * Math.sqrt(Math.min(1, 2 * Math.abs(change))))];
  const levelOf = share => 's' + Math.round(20 * Math.sqrt(clamp(share, 0, 1)));

  // Maps are lower triangles, row by row: shares as 255 sqrt(share), changes as 128 + 127 sqrt(change), with its sign.
  const triangle = side * (side + 1) / 2;
  const shareOf = Float32Array.from({length: 256}, (_, byte) => (byte / 255) ** 2);
  const changeOf = Float32Array.from({length: 256}, (_, byte) => Math.sign(byte - 128) * ((byte - 128) / 127) ** 2);
  const before = bytesOf(data.maps), change = data.changes === undefined ? null : bytesOf(data.changes);
  const meanOf = (bytes, values, maps) => {
    const mean = new Float32Array(triangle);
    for (const map of maps) {
      for (let i = 0, at = map * triangle; i < triangle; ++i, ++at) mean[i] += values[bytes[at]];
    }
    return maps.length === 1 ? mean : mean.map(sum => sum / maps.length);
  };
  const mapsOf = what => perHead ? headsOf(what) : what.layer < 0 ? range(0, layers) : [what.layer];
  let shown = null;  // {before, change, after}: of what is chosen
  const load = what => {
    shown = {before: meanOf(before, shareOf, mapsOf(what))};
    if (!change) return;
    shown.change = meanOf(change, changeOf, mapsOf(what));
    shown.after = shown.before.map((share, i) => clamp(share + shown.change[i], 0, 1));
  };

  // Cells and tokens.
  const n = data.n, tokens = data.tokens;
  const cellOf = position => Math.floor(position * side / n), firstOf = cell => Math.ceil(cell * n / side);
  const tokenName = position => tokens[position] === undefined ? '' + position : position + ' ' + tokens[position];
  const cellName = tokens === undefined
    ? cell => (100 * cell / side).toFixed(0) + ' .. ' + (100 * (cell + 1) / side).toFixed(0) + ' % of the prompt'
    : cell => {
      const first = firstOf(cell), last = firstOf(cell + 1) - 1;
      return first === last ? tokenName(first) : tokenName(first) + ' .. ' + tokenName(last);
    };
  const sinksOf = what => !perHead ? [] : headsOf(what).flatMap(head => data.sinks[head]);

  const imageOf = (values, colourOf, context) => {
    const image = context.createImageData(side, side);
    for (let row = 0, i = 0; row < side; ++row) {
      for (let column = 0, to = 4 * row * side; column <= row; ++column, ++i, to += 4) {
        const colour = colourOf(values[i]);
        image.data[to] = colour[0]; image.data[to + 1] = colour[1]; image.data[to + 2] = colour[2];
        image.data[to + 3] = 255;
      }
    }
    return image;
  };
  const small = document.createElement('canvas');
  small.width = small.height = side;
  const smallContext = small.getContext('2d', {willReadFrequently: true});

  const margin = 10;  // above a map, for the marks of sinks
  const canvases = [['before', colourOfShare], ['after', colourOfShare], ['change', colourOfChange]]
    .filter(([name]) => byId(name)).map(([name, colourOf]) => ({name, colourOf, canvas: byId(name)}));
  let cursor = null;  // {row, column}: what the reader points at
  const draw = () => {
    const style = getComputedStyle(document.body), colour = name => style.getPropertyValue(name);
    for (const {name, colourOf, canvas} of canvases) {
      const scale = window.devicePixelRatio || 1;
      const width = Math.max(1, Math.round(canvas.clientWidth * scale)), top = Math.round(margin * scale);
      canvas.width = width;
      canvas.height = width + top;
      const context = canvas.getContext('2d');
      context.fillStyle = colour('--line');
      context.globalAlpha = 0.35;  // what a row can't see
      context.fillRect(0, top, width, width);
      context.globalAlpha = 1;
      smallContext.putImageData(imageOf(shown[name], colourOf, smallContext), 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, top, width, width);
      const pixel = width / side;
      if (chosen.head >= 0) {
        context.fillStyle = colour('--mark');
        sinksOf(chosen).forEach(sink => context.fillRect(cellOf(sink[0]) * pixel, 0, Math.max(pixel, 3 * scale), top - 2 * scale));
      }
      context.strokeStyle = colour('--line');
      context.strokeRect(0.5, top + 0.5, width - 1, width - 1);
      if (!cursor) continue;
      context.strokeStyle = colour('--ink');
      context.lineWidth = scale;
      context.strokeRect(cursor.column * pixel - 1, top + cursor.row * pixel - 1, pixel + 2, pixel + 2);
      context.globalAlpha = 0.4;
      context.strokeRect(cursor.column * pixel, top, pixel, width);
      context.strokeRect(0, top + cursor.row * pixel, width, pixel);
      context.globalAlpha = 1;
    }
  };

  const strip = Array.isArray(tokens) && byId('tokens')
    ? tokens.map(text => element('span', text.slice(1, -1), byId('tokens'))) : [];
  const received = data.received === undefined ? null : bytesOf(data.received);
  const mark = (className, cell) => strip.forEach((span, i) =>
    span.classList.toggle(className, cell !== null && i >= firstOf(cell) && i < firstOf(cell + 1)));
  const signed = value => (value > 0 ? '+' : '') + percent(value);
  const point = at => {
    cursor = at;
    draw();
    mark('pointed', at && at.column);
    mark('from', at && at.row);
    const under = byId('under');
    if (!at) { under.textContent = 'Point at a cell to read both tokens and the weight, or use the arrow keys once the maps have the focus.'; return; }
    const i = at.row * (at.row + 1) / 2 + at.column;
    under.textContent = 'from ' + cellName(at.row) + '\nto ' + cellName(at.column) + ': ' + percent(shown.before[i]) +
      (shown.change ? ' before, ' + percent(shown.after[i]) + ' after, difference ' + signed(shown.change[i]) : '') +
      (chosen.head < 0 ? '' : sinksOf(chosen).filter(sink => cellOf(sink[0]) === at.column).slice(0, 3)
        .map(sink => '\nsink at ' + tokenName(sink[0]) + ': score ' + sink[1].toFixed(3) + ', ' + percent(sink[2]) +
          ' of this head\u2019s attention').join(''));
  };
  for (const {canvas} of canvases) {
    const pointAt = event => {
      const box = canvas.getBoundingClientRect(), pixel = box.width / side;
      const column = Math.floor((event.clientX - box.left) / pixel);
      const row = clamp(Math.floor((event.clientY - box.top - margin) / pixel), 0, side - 1);
      // Above the diagonal nothing is seen: the column's own token then.
      if (column >= 0 && column < side) point({row: Math.max(row, column), column});
    };
    canvas.addEventListener('mousemove', pointAt);
    canvas.addEventListener('click', pointAt);
  }
  byId('maps').addEventListener('mouseleave', () => point(null));
  byId('maps').addEventListener('keydown', event => {
    const at = cursor || {row: side - 1, column: sinksOf(chosen).length ? cellOf(sinksOf(chosen)[0][0]) : 0};
    const to = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
      PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -side], End: [0, side]}[event.key];
    if (event.key === 'Escape') { point(null); return; }
    if (!to) return;
    event.preventDefault();
    if (!cursor) { point(at); return; }
    const row = clamp(at.row + to[0], to[0] ? at.column : 0, side - 1);
    point({row, column: clamp(at.column + to[1], 0, row)});
  });

  // Every head as a thumbnail: a row a layer.
  const atlas = byId('atlas');
  const thumb = Math.max(10, Math.min(44, Math.floor(560 / heads), Math.floor(900 / layers)));
  const drawAtlas = () => {
    if (!atlas) return;
    atlas.width = heads * thumb;
    atlas.height = layers * thumb;
    const context = atlas.getContext('2d');
    range(0, layers * heads).forEach(head => {
      smallContext.putImageData(imageOf(meanOf(before, shareOf, [head]), colourOfShare, smallContext), 0, 0);
      context.drawImage(small, head % heads * thumb, Math.floor(head / heads) * thumb, thumb - 1, thumb - 1);
    });
  };
  if (atlas) {
    const headAt = event => {
      const box = atlas.getBoundingClientRect();
      const head = Math.floor((event.clientX - box.left) / box.width * heads);
      const layer = Math.floor((event.clientY - box.top) / box.height * layers);
      return head >= 0 && head < heads && layer >= 0 && layer < layers ? {layer, head} : null;
    };
    atlas.addEventListener('click', event => { if (headAt(event)) choose(headAt(event)); });
    atlas.addEventListener('mousemove', event => { atlas.title = headAt(event) ? nameOf(headAt(event)) : ''; });
  }

  const showStrip = what => {
    const own = new Map(sinksOf(what).map(sink => [sink[0], sink])), of = headsOf(what);
    strip.forEach((span, i) => {
      const sink = what.head < 0 ? undefined : own.get(i);
      const share = received ? of.reduce((sum, head) => sum + shareOf[received[head * n + i]], 0) / of.length
        : sink ? sink[2] : 0;
      span.className = levelOf(share) + (sink ? ' sink' : '');
      span.title = 'position ' + tokenName(i) + (received ? ': ' + percent(share) + ' of the attention' : '') +
        (sink ? '; sink, score ' + sink[1].toFixed(3) : '');
    });
  };
  const listOf = what => {
    const of = headsOf(what);
    if (!perHead && of.length === 1) {
      return [['token', 'in prompts', 'a prompt', 'mean position', 'of the attention'],
        data.top[of[0]].map(t => [t[0], percent(t[1]), t[2].toFixed(2), t[3].toFixed(1), percent(t[4])])];
    }
    if (of.length === 1) {
      return [['position', 'token', 'score', 'of the attention'],
        data.sinks[of[0]].map(sink => [sink[0], tokens[sink[0]] || '', sink[1].toFixed(3), percent(sink[2])])];
    }
    const sums = new Map();  // by position or token: [heads, share of their attention]
    of.forEach(head => (perHead ? data.sinks : data.top)[head].forEach(sink => {
      const sum = sums.get(sink[0]) || [0, 0];
      sums.set(sink[0], [sum[0] + 1, sum[1] + sink[sink.length - 1]]);
    }));
    const rows = Array.from(sums).sort((a, b) => b[1][1] - a[1][1]).slice(0, 30);
    return [perHead ? ['position', 'token', 'heads', 'of the attention'] : ['token', 'heads', 'of the attention'],
      rows.map(([key, [count, share]]) => (perHead ? [key, tokens[key] || ''] : [key]).concat([count, percent(share / of.length)]))];
  };

  const cells = Array.from(document.querySelectorAll('table.heat [data-l]'));
  const placeOf = cell => ({layer: Number(cell.dataset.l), head: Number(cell.dataset.h)});
  const choose = what => {
    chosen = what;
    cells.forEach(cell => cell.classList.toggle('chosen', Number(cell.dataset.l) === what.layer && Number(cell.dataset.h) === what.head));
    document.querySelectorAll('.which').forEach(title => { title.textContent = nameOf(what); });
    const note = byId('note');
    if (note) note.textContent = perHead || what.head < 0 ? '' : 'Of a data set the maps are means over a layer\u2019s heads: these are layer ' + what.layer + '\u2019s.';
    load(what);
    showStrip(what);
    showList(...listOf(what));
    point(cursor);
  };
  cells.forEach(cell => cell.addEventListener('click', () => choose(placeOf(cell))));
  document.querySelectorAll('.heads').forEach(table => table.addEventListener('keydown', event => {
    const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const layer = clamp(chosen.layer + step[0], -1, layers - 1);
    const head = layer < 0 ? -1 : clamp(chosen.head + step[1], -1, heads - 1);
    choose({layer, head});
    table.querySelector('.chosen').scrollIntoView({block: 'nearest', inline: 'nearest'});
  }));
  const redraw = () => { mixColours(); draw(); drawAtlas(); };
  mixColours();
  choose(perHead ? {layer: Math.floor(data.first / heads), head: data.first % heads} : chosen);
  setTimeout(drawAtlas);  // once the reader sees something
  darkness.addEventListener('change', redraw);
  window.addEventListener('resize', draw);
})();
)js";

}  // namespace act::report
