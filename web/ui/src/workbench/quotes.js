// Curly quotes come along when an expression is pasted from a letter or a page. Where straight ones make a whole
// expression of it they are put right; inside a text that stands in straight quotes they stay.
const CURLY = /[“”„‟‘’‚‛]/;
const DOUBLE = /[“”„‟]/;

export function straightened(text) {
  if (!CURLY.test(text)) return text;
  let open = "";
  return [...text].map((sign) => {
    if (open) {
      if (sign === open) open = "";
      else if (open === "curly" && DOUBLE.test(sign)) return (open = "", '"');
      else if (open === "single" && /[’‘‛]/.test(sign)) return (open = "", "'");
      return sign;
    }
    if (sign === '"' || sign === "'") open = sign;
    else if (DOUBLE.test(sign)) return (open = "curly", '"');
    else if (CURLY.test(sign)) return (open = "single", "'");
    return sign;
  }).join("");
}
