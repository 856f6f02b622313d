// A heat map on a diagram: five classes for elements and flows, and what each stands for in words on the element.
// Colours come from marker classes in diagram.css: no style on a shape itself.

// heat: {elements: {id: {level: 0 to 5, words}}, flows: {id: {level}}, visits: {id: number}}
export function paintHeat(viewer, heat) {
  const [registry, canvas, overlays] = ["elementRegistry", "canvas", "overlays"].map((part) => viewer.get(part));
  const mark = (id, level) => {
    const known = registry.get(id) !== undefined;
    const holds = registry.get(id)?.children?.length > 0; // what lies in a sub-process has colours of its own
    if (known && level > 0 && !holds) canvas.addMarker(id, `heat-${level}`);
    return known;
  };
  for (const [id, { level }] of Object.entries(heat.flows)) mark(id, level);
  for (const [id, { level, words }] of Object.entries(heat.elements)) {
    if (!mark(id, level) || level === 0) continue;
    const html = Object.assign(document.createElement("span"), { className: "heat-words", textContent: words });
    overlays.add(id, { position: { top: -10, left: registry.get(id).width / 2 }, html });
  }
}
