// Keeps our style sheet off the elements that bpmn-js, dmn-js and form-js make: their class names are not ours to know
// (both sides have an `.open`). Each selector gets a condition without weight: not inside an element of class `guest`.
const GUARD = ":where(:not(.guest *))";
const HOLDS_RULES = /^@(media|supports|layer|container)\b/;
const PSEUDO_ELEMENT = /::|:(before|after|first-line|first-letter)\b/;

// The style sheet *css*, as esbuild writes it, with every selector guarded. Nested style rules are refused.
export function guarded(css) {
  let out = "";
  for (let place = 0; place < css.length; ) {
    const end = after(css, place, "{;}");
    const prelude = css.slice(place, end);
    if (css[end] !== "{") {
      out += css.slice(place, end + 1);
      place = end + 1;
      continue;
    }
    const close = after(css, end + 1, "}");
    const body = css.slice(end + 1, close);
    if (HOLDS_RULES.test(prelude.trim())) out += `${prelude}{${guarded(body)}}`;
    else if (prelude.trim().startsWith("@")) out += css.slice(place, close + 1);
    else if (after(body, 0, "{") < body.length) throw new Error(`guests.mjs: ${prelude.trim()} has a rule inside; write it on its own.`);
    else out += `${parts(prelude).map(withGuard).join(",")}{${body}}`;
    place = close + 1;
  }
  return out;
}

// Ahead of a pseudo-element nothing else may stand behind.
function withGuard(selector) {
  const words = selector.trimEnd();
  const found = PSEUDO_ELEMENT.exec(words);
  return found ? `${words.slice(0, found.index)}${GUARD}${words.slice(found.index)}` : words + GUARD;
}

function parts(selectors) {
  const found = [];
  let from = 0;
  for (let comma = after(selectors, 0, ","); comma < selectors.length; comma = after(selectors, from, ",")) {
    found.push(selectors.slice(from, comma));
    from = comma + 1;
  }
  return [...found, selectors.slice(from)];
}

// Where the next of *marks* stands from *place* on, outside strings, brackets and braces; the length if there is none.
function after(text, place, marks) {
  let depth = 0;
  for (let at = place; at < text.length; at += 1) {
    const sign = text[at];
    if (depth === 0 && marks.includes(sign)) return at;
    if (sign === "\\") at += 1;
    else if (sign === '"' || sign === "'") at = closing(text, at);
    else if ("([{".includes(sign)) depth += 1;
    else if (")]}".includes(sign)) depth -= 1;
  }
  return text.length;
}

function closing(text, quote) {
  let at = quote + 1;
  while (at < text.length && text[at] !== text[quote]) at += text[at] === "\\" ? 2 : 1;
  return at;
}
