// Bundles src/ into the folder given, and writes the licence texts of everything that went in. hatch_build.py calls this.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { guarded } from "./guests.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "../usher_web/static/dist"));

// Cells and fields are in Usher's own language: the snippets and the judgement of FEEL have no place there.
const OWN_LANGUAGE = {
  "@bpmn-io/lang-feel": "./src/workbench/cell-language.js",
  "@bpmn-io/feel-lint": "./src/workbench/cell-lint.js",
};

const common = {
  absWorkingDir: here,
  alias: OWN_LANGUAGE,
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome120", "firefox121", "safari17"],
  legalComments: "none", // the texts stand in THIRD_PARTY.txt
  metafile: true,
  logLevel: "warning",
};
const pages = await build({
  ...common,
  entryPoints: ["main.js", "live-shared.js", "usher.css", "diagram.css", "modeler.css", "form-editor.css", "decision-editor.css"].map((name) => `src/${name}`),
  splitting: true,
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".woff": "file", ".ttf": "file", ".svg": "file", ".eot": "empty" },
});
// What goes into the evidence bundle, each in one piece: the page that carries them has no network.
const evidence = await build({ ...common, entryPoints: ["src/evidence.js", "src/evidence.css"] });
await mkdir(out, { recursive: true });
const sheet = path.join(out, "usher.css");
await writeFile(sheet, guarded(await readFile(sheet, "utf8")));
await copyFile(path.join(here, "src/mark.svg"), path.join(out, "mark.svg"));
await writeFile(path.join(out, "THIRD_PARTY.txt"), await licences(Object.keys(pages.metafile.inputs)));
await writeFile(path.join(out, "evidence-licences.txt"), await licences(Object.keys(evidence.metafile.inputs)));

async function licences(inputs) {
  const folders = new Set(inputs.map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]).filter(Boolean));
  const texts = await Promise.all([...folders].sort().map(licence));
  return `The scripts, styles and fonts in this folder contain these packages.\n\n${texts.join("\n")}`;
}

async function licence(folder) {
  const at = path.join(here, folder);
  const about = JSON.parse(await readFile(path.join(at, "package.json"), "utf8"));
  const file = (await readdir(at)).find((name) => /^(licen[cs]e|copying)/i.test(name));
  const text = file ? await readFile(path.join(at, file), "utf8") : `Licence: ${about.license}\n`;
  return `${"=".repeat(80)}\n${about.name} ${about.version} (${about.license})\n${"=".repeat(80)}\n${text.trim()}\n`;
}
