// Reads {name: specification} from its standard input and writes {name: [what is wrong]}: against the schema that Vega-Lite 5
// publishes, and in what Vega says while it draws. With a folder as argument the drawings are written there as SVG.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv";
import formats from "ajv-formats";
import * as vega from "vega";
import * as vegaLite from "vega-lite";

const schema = createRequire(import.meta.url)("vega-lite/build/vega-lite-schema.json");
const ajv = new Ajv({ allErrors: false, strict: false, verbose: false });
formats(ajv);
ajv.addFormat("color-hex", /^#([0-9a-f]{3}){1,2}$/i);
const valid = ajv.compile(schema);

// What was said is an error as well: a field that is not there, a scale that cannot be zoomed.
function logger(said) {
  const say = (...words) => {
    const all = words.join(" ");
    if (!all.includes("event source: window")) said.push(all); // there is no window here
    return log;
  };
  const log = { level: () => log, error: say, warn: say, info: () => log, debug: () => log };
  return log;
}

const out = {};
for (const [name, spec] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const wrong = (out[name] = []);
  if (!valid(spec)) {
    const deepest = valid.errors.reduce((a, b) => (b.instancePath.length > a.instancePath.length ? b : a));
    wrong.push(`not by the schema: ${deepest.instancePath} ${deepest.message} ${JSON.stringify(deepest.params)}`);
  }
  try {
    const log = logger(wrong);
    const compiled = vegaLite.compile(spec, { logger: log }).spec;
    const view = new vega.View(vega.parse(compiled), { renderer: "none", logger: log });
    const svg = await view.toSVG();
    if (!/<path|<rect|<text/.test(svg)) wrong.push("the drawing is empty");
    if (!svg.includes("currentColor")) wrong.push("its letters do not take the colour of the page");
    if (/<rect width="[\d.]+" height="[\d.]+" fill="(?!none|transparent)/.test(svg)) wrong.push("it has a ground of its own");
    if (process.argv[2]) writeFileSync(`${process.argv[2]}/${name}.svg`, svg);
  } catch (e) {
    wrong.push(String(e));
  }
}
console.log(JSON.stringify(out));
