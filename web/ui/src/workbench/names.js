// What expressions of this draft may name: the one place the editors ask. The page brings it (`authoring/editor_vocabulary.py`),
// and each answer of the gate brings the names again. A name is {name, title, kind, fields?, enum?, perhaps?}: `title` says
// what sets it, `fields` are names of the same shape, `enum` the only values it has, `perhaps` that a case may lack it.
const known = { names: [], words: [] };

export function hear({ names, words }) {
  if (names) known.names = names;
  if (words) known.words = words;
}

export function namesKnown() {
  return known.names;
}

// Words of the language: {name, usage, note, kind, script_only}.
export function wordsKnown() {
  return known.words;
}

// What a path like ["patient", "status"] leads to; nothing where it is not known.
export function found(path) {
  return path.reduce((list, step, index) => {
    const one = list?.find((name) => name.name === step);
    return index === path.length - 1 ? one : one?.fields;
  }, known.names);
}
