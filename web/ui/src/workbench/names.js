// What expressions of this draft may name: the one place the editors ask. The page brings it (`authoring/editor_vocabulary.py`),
// and each answer of the gate brings the names again. A name is {name, title, kind, fields?, enum?, perhaps?}: `title` says
// what sets it, `fields` are names of the same shape, `enum` the only values it has, `perhaps` that a case may lack it.
const known = { names: [], words: [], places: { at: {}, pool: [] } };

// While an expression is being typed the gate cannot follow the data: what it said before stays.
export function hear({ names, words, places }) {
  const followed = Object.keys(places?.at ?? {}).length > 0;
  if (names) known.names = followed ? names : names.map(shaped);
  if (words) known.words = words;
  if (followed) known.places = places;
}

function shaped(name) {
  const before = known.names.find((one) => one.name === name.name);
  return name.fields?.length || !before?.fields ? name : { ...name, kind: before.kind, fields: before.fields, enum: before.enum };
}

// All names of the draft, wherever they are set.
export function namesKnown() {
  return known.names;
}

// The names that are set when a case comes to *element*, certain ones first, as the data flow of the gate says; all names
// where it does not say. `also` are names that the element itself sets: what comes after it may read them too.
export function namesAt(element, also = []) {
  const places = known.places.at[element];
  if (!places) return known.names;
  const titles = new Map(known.names.map(({ name, title }) => [name, title]));
  const perhaps = (one) => one.perhaps && !also.includes(one.name);
  const there = places.map(fromPool).map((one) => ({ ...one, title: titles.get(one.name) || one.title, perhaps: perhaps(one) }));
  const set = new Set(there.map(({ name }) => name));
  return [...there, ...known.names.filter(({ name }) => also.includes(name) && !set.has(name))];
}

// The names that are set at any of *elements*; all names where there is none of them.
export function namesAtAll(elements) {
  const all = elements.flatMap((element) => namesAt(element));
  return elements.length > 0 ? [...new Map(all.map((one) => [one.name, one])).values()] : known.names;
}

// The names that are set elsewhere in the draft, but not when a case comes to *element*.
export function namesElsewhere(element) {
  const places = known.places.at[element];
  if (!places) return [];
  const there = new Set(places.map((place) => known.places.pool[place].name));
  return known.names.filter(({ name }) => !there.has(name));
}

function fromPool(place) {
  const one = known.places.pool[place];
  return one.fields ? { ...one, fields: one.fields.map(fromPool) } : one;
}

// Words of the language: {name, usage, note, kind, script_only}.
export function wordsKnown() {
  return known.words;
}

// What a path like ["patient", "status"] leads to among *names*; nothing where it is not known.
export function found(path, names) {
  return path.reduce((list, step, index) => {
    const one = list?.find((name) => name.name === step);
    return index === path.length - 1 ? one : one?.fields;
  }, names);
}
