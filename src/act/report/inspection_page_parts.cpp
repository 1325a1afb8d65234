#include <act/report/inspection_page_parts.hpp>

namespace act::report {

const std::string_view inspection_page_style = R"css(
body { font: 14px/1.45 system-ui, sans-serif; color: #222; background: #fff; margin: 1.5em auto; max-width: 80em; padding: 0 1em; }
h1 { font-size: 1.3em; margin: 0 0 .3em; overflow-wrap: anywhere; } h2 { font-size: 1.05em; margin: 1.4em 0 .4em; }
p { margin: .3em 0; max-width: 60em; } pre { font-size: 12px; overflow-x: auto; } .quiet { color: #666; }
.side { display: flex; flex-wrap: wrap; gap: 2em; align-items: flex-start; }
table.heat { border-collapse: separate; border-spacing: 1px; font-size: 10px; }
table.heat th { font-weight: normal; color: #666; padding: 0 .4em; text-align: right; }
table.heat td { width: 1.9em; height: 1.35em; text-align: center; cursor: pointer; }
table.heat td.chosen { outline: 2px solid #06c; }
#map, #atlas { border: 1px solid #ccc; image-rendering: pixelated; } #atlas { cursor: pointer; }
#tokens { font: 13px/2 ui-monospace, monospace; max-width: 562px; overflow-wrap: anywhere; white-space: pre-wrap; }
#tokens span { padding: .15em 0; border-radius: 2px; } #tokens span.sink { outline: 2px solid #06c; }
#tokens span.pointed { outline: 2px solid #000; }
#list { max-height: 48em; overflow-y: auto; } #under { min-height: 4.5em; max-width: 562px; } table.list td, table.list th { padding: 0 .8em 0 0; text-align: right; font-size: 12px; white-space: pre; }
)css";

const std::string_view inspection_page_script = R"js(
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const byId = id => document.getElementById(id);
  const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const percent = share => (100 * share).toFixed(share < 0.0995 ? 2 : 1) + ' %';
  const shareOf = byte => (byte / 255) ** 2;
  // The same colours as the heat maps': white over orange to dark red.
  const stops = [[255, 255, 255], [253, 212, 158], [252, 141, 89], [215, 48, 31], [91, 0, 0]];
  const colourOf = byte => {
    const at = byte / 255 * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2);
    return stops[i].map((low, k) => Math.round(low + (at - i) * (stops[i + 1][k] - low)));
  };
  const palette = Array.from({length: 256}, (_, byte) => colourOf(byte));
  const cells = Array.from(document.querySelectorAll('td[data-h]'));
  const count = data.layers * data.heads;
  let chosen = -1;

  const element = (name, text, parent) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };
  const showList = (header, rows) => {
    const list = byId('list');
    list.replaceChildren();
    if (rows.length === 0) { element('p', 'This head has no sinks.', list); return; }
    const table = element('table', undefined, list);
    table.className = 'list';
    const top = element('tr', undefined, table);
    header.forEach(text => element('th', text, top));
    rows.forEach(row => {
      const line = element('tr', undefined, table);
      row.forEach(text => element('td', text, line));
    });
  };

  let showHead = head => showList(['token', 'in prompts', 'a prompt', 'mean position', 'of the attention'],
    data.top[head].map(t => [t[0], percent(t[1]), t[2].toFixed(2), t[3].toFixed(1), percent(t[4])]));

  if (data.maps !== undefined) {
    const side = data.side, tokens = data.tokens, n = tokens.length, triangle = side * (side + 1) / 2;
    const maps = bytesOf(data.maps);
    const received = data.received === undefined ? null : bytesOf(data.received);
    const cellOf = position => Math.floor(position * side / n);
    const firstOf = cell => Math.ceil(cell * n / side);
    const nameOf = cell => {
      const first = firstOf(cell), last = firstOf(cell + 1) - 1;
      return first === last ? first + ' ' + tokens[first]
        : first + ' ' + tokens[first] + ' .. ' + last + ' ' + tokens[last];
    };
    const at = (head, row, column) => maps[head * triangle + row * (row + 1) / 2 + column];

    const imageOf = (head, target) => {
      const image = target.createImageData(side, side);
      for (let row = 0, to = 0; row < side; ++row) {
        for (let column = 0; column < side; ++column, to += 4) {
          const colour = column <= row ? palette[at(head, row, column)] : [244, 244, 244];
          image.data[to] = colour[0]; image.data[to + 1] = colour[1]; image.data[to + 2] = colour[2];
          image.data[to + 3] = 255;
        }
      }
      return image;
    };
    const small = document.createElement('canvas');
    small.width = small.height = side;
    const smallContext = small.getContext('2d');

    // Every head as a thumbnail: a row a layer.
    const atlas = byId('atlas'), thumb = Math.max(10, Math.min(44, Math.floor(560 / data.heads)));
    atlas.width = data.heads * thumb;
    atlas.height = data.layers * thumb;
    const atlasContext = atlas.getContext('2d');
    for (let head = 0; head < count; ++head) {
      smallContext.putImageData(imageOf(head, smallContext), 0, 0);
      atlasContext.drawImage(small, head % data.heads * thumb, Math.floor(head / data.heads) * thumb, thumb - 1, thumb - 1);
    }
    const headAt = event => {
      const box = atlas.getBoundingClientRect();
      const x = Math.floor((event.clientX - box.left - 1) / thumb), y = Math.floor((event.clientY - box.top - 1) / thumb);
      return x >= 0 && x < data.heads && y >= 0 && y < data.layers ? y * data.heads + x : -1;
    };
    atlas.addEventListener('click', event => { const head = headAt(event); if (head >= 0) choose(head); });
    atlas.addEventListener('mousemove', event => {
      const head = headAt(event);
      atlas.title = head < 0 ? '' : 'layer ' + Math.floor(head / data.heads) + ', head ' + head % data.heads;
    });

    const map = byId('map'), margin = 14, pixel = Math.max(1, Math.floor(560 / side)), size = pixel * side;
    map.width = size + 1;
    map.height = size + margin + 1;
    const context = map.getContext('2d');
    const strip = tokens.map(text => element('span', text.slice(1, -1), byId('tokens')));
    const point = (from, to) => strip.forEach((span, i) => span.classList.toggle('pointed', i >= from && i < to));

    const draw = head => {
      context.fillStyle = '#fff';
      context.fillRect(0, 0, map.width, map.height);
      smallContext.putImageData(imageOf(head, smallContext), 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, margin, size, size);
      context.fillStyle = '#06c';
      data.sinks[head].forEach(sink => {  // a mark above each sink's column
        const x = cellOf(sink[0]) * pixel;
        context.fillRect(x, 2, Math.max(pixel, 3), margin - 4);
      });
    };
    map.addEventListener('mousemove', event => {
      const box = map.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left - 1) / pixel);
      const row = Math.floor((event.clientY - box.top - 1 - margin) / pixel);
      if (column < 0 || column >= side || row >= side) return;
      point(firstOf(column), firstOf(column + 1));
      const sinks = data.sinks[chosen].filter(sink => cellOf(sink[0]) === column);
      byId('under').textContent = 'to ' + nameOf(column) +
        (row < column ? '' : ', from ' + nameOf(row) + ': ' + percent(shareOf(at(chosen, Math.max(row, 0), column)))) +
        sinks.map(sink => '. Sink at ' + sink[0] + ': score ' + sink[1].toFixed(3) + ', ' + percent(sink[2]) +
          ' of this head\u2019s attention').join('');
    });
    map.addEventListener('mouseleave', () => { point(0, 0); byId('under').textContent = ''; });

    showHead = head => {
      draw(head);
      const sinks = new Map(data.sinks[head].map(sink => [sink[0], sink]));
      strip.forEach((span, i) => {
        const sink = sinks.get(i);
        const share = received ? shareOf(received[head * n + i]) : sink ? sink[2] : 0;
        const byte = Math.round(255 * Math.sqrt(share)), colour = palette[byte];
        span.style.background = 'rgb(' + colour.join(',') + ')';
        span.style.color = byte > 140 ? '#fff' : '#222';
        span.classList.toggle('sink', sink !== undefined);
        span.title = 'position ' + i + ' ' + tokens[i] + (received ? ': ' + percent(share) + ' of the attention' : '') +
          (sink ? '; sink, score ' + sink[1].toFixed(3) : '');
      });
      showList(['position', 'token', 'score', 'of the attention'],
        data.sinks[head].map(sink => [sink[0], tokens[sink[0]], sink[1].toFixed(3), percent(sink[2])]));
    };
  }

  const choose = head => {
    chosen = head;
    cells.forEach(cell => cell.classList.toggle('chosen', Number(cell.dataset.h) === head));
    byId('which').textContent = 'Layer ' + Math.floor(head / data.heads) + ', head ' + head % data.heads;
    showHead(head);
  };
  cells.forEach(cell => cell.addEventListener('click', () => choose(Number(cell.dataset.h))));
  document.querySelectorAll('table.heat').forEach(table => table.addEventListener('keydown', event => {
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -data.heads, ArrowDown: data.heads}[event.key];
    if (step === undefined || chosen + step < 0 || chosen + step >= count) return;
    event.preventDefault();
    choose(chosen + step);
  }));
  choose(data.first);
})();
)js";

}  // namespace act::report
