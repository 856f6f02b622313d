// Times as people write them, stored as ISO 8601: “7 days” is P7D, “2 hours 30 minutes” PT2H30M. What is neither (an
// expression, a date) stays as it was typed; the gate judges it.
const UNITS = [
  ["W", "week", /^(?:w|wks?|weeks?)$/],
  ["D", "day", /^(?:d|days?)$/],
  ["H", "hour", /^(?:h|hrs?|hours?)$/],
  ["M", "minute", /^(?:m|mins?|minutes?)$/],
  ["S", "second", /^(?:s|secs?|seconds?)$/],
];
const PART = /(\d+|an?|one)\s*([a-z]+)\s*(?:,|and)?\s*/gy;
const ISO = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;
const LONG = /^(?:months?|years?|y|yrs?)$/;

// Working days have no ISO text; they are stored in words, of which the engine reads one spelling.
const WORKING = /^(\d+|an?|one)\s*(?:work|working|business)\s*days?$/i;
const MOST_WORKING = 250;

// The ISO text of *words*; *words* themselves where they are no duration.
export function isoDuration(words) {
  const working = workingDays(words);
  if (working !== null) return `${working} working day${working === 1 ? "" : "s"}`;
  const counts = counted(words);
  if (!counts || counts.long || Object.keys(counts).length === 0) return words.trim();
  const { W = 0, D = 0, H = 0, M = 0, S = 0 } = counts;
  const days = W && !D && !H && !M && !S ? `${W}W` : W * 7 + D ? `${W * 7 + D}D` : "";
  const clock = [[H, "H"], [M, "M"], [S, "S"]].filter(([count]) => count > 0).map(([count, unit]) => count + unit).join("");
  return days || clock ? `P${days}${clock && `T${clock}`}` : words.trim();
}

// “7 days” for P7D; nothing for what is no plain duration.
export function durationWords(iso) {
  const found = ISO.exec(iso.trim());
  if (!found) return "";
  const parts = UNITS.map(([, unit], place) => [Number(found[place + 1] ?? 0), unit]).filter(([count]) => count > 0);
  return parts.map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`).join(" ");
}

// Why *words* cannot be taken as a duration; empty where they can, or where they are an expression.
export function durationProblem(words) {
  const working = workingDays(words);
  if (working === 0 || working > MOST_WORKING) return `Working days are counted from 1 to ${MOST_WORKING}.`;
  if (counted(words)?.long) return "A month or a year has no fixed length. Say it in days, like “30 days”.";
  if (/^\d+$/.test(words.trim())) return `${words.trim()} of what? Write “${words.trim()} days” or “${words.trim()} hours”.`;
  return "";
}

// How many working days *words* are; null where they are none.
function workingDays(words) {
  const found = WORKING.exec(words.trim());
  return found ? (/^\d/.test(found[1]) ? Number(found[1]) : 1) : null;
}

function counted(words) {
  const text = words.trim().toLowerCase();
  const counts = {};
  PART.lastIndex = 0;
  let end = 0;
  for (let part = PART.exec(text); part; part = PART.exec(text)) {
    const unit = UNITS.find(([, , pattern]) => pattern.test(part[2]))?.[0];
    if (LONG.test(part[2])) counts.long = true;
    else if (!unit || counts[unit] !== undefined) return null;
    else counts[unit] = Number(part[1]) || (part[1] === "0" ? 0 : 1);
    end = PART.lastIndex;
  }
  return end === text.length && end > 0 ? counts : null;
}
