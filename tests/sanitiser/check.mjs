// node check.mjs < PAGES: runs each page of {name: html} through JupyterLab's own sanitiser, as an output of a notebook
// that is not trusted, and writes {name: what changed} of those that do not come out as they went in.
//
// As they went in means: the same elements, attributes with their values, texts and comments in the same order, as the
// sanitiser's own parser reads them. Only how they are written may differ: the order of attributes, &#34; or &quot;, a
// space in a style.
import { createRequire } from 'node:module';
import { readFileSync, mkdtempSync, writeFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
// The package's files are ES modules, but its package.json does not say so, and an old node then takes them for CommonJS.
const source = require.resolve('@jupyterlab/apputils/lib/sanitizer.js');
const copy = join(mkdtempSync(join(dirname(source), 'copy-')), 'sanitizer.mjs');
writeFileSync(copy, readFileSync(source));
const { Sanitizer } = await import(pathToFileURL(copy));
rmSync(dirname(copy), { recursive: true });
// The parser that sanitize-html uses.
const { Parser } = createRequire(createRequire(source).resolve('sanitize-html'))('htmlparser2');

function read(html) {
  const events = [];
  const text = (kind, data) => {
    const last = events[events.length - 1];
    if (last && last[0] === kind && kind === 'text') last[1] += data;
    else events.push([kind, data]);
  };
  const style = value => value.split(';').map(part => part.replace(/\s*:\s*/, ':').trim()).filter(Boolean).join(';');
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        const sorted = Object.entries(attributes).map(([key, value]) => `${key}=${JSON.stringify(key === 'style' ? style(value) : value)}`).sort();
        events.push(['open', [name, ...sorted].join(' ')]);
      },
      ontext: data => text('text', data),
      onclosetag: name => events.push(['close', name]),
      oncomment: data => events.push(['comment', data]),
      onprocessinginstruction: (name, data) => events.push(['instruction', data])
    },
    { decodeEntities: true }
  );
  parser.write(html);
  parser.end();
  return events.map(event => event.join(' '));
}

const pages = JSON.parse(readFileSync(0, 'utf8'));
const sanitiser = new Sanitizer();
const changed = {};
for (const [name, html] of Object.entries(pages)) {
  const before = read(html);
  const after = read(sanitiser.sanitize(html));
  for (let i = 0; i < Math.max(before.length, after.length); i++) {
    if (before[i] !== after[i]) {
      changed[name] = `${before[i] ?? 'nothing'} became ${after[i] ?? 'nothing'}`;
      break;
    }
  }
}
process.stdout.write(JSON.stringify(changed));
