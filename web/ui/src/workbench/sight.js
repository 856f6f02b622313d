// Where the eye is on a diagram: an element brought into sight, on the plane it is drawn on.
export function intoSight(modeler, element) {
  const canvas = modeler.get("canvas");
  const plane = canvas.findRoot(element);
  if (plane && plane !== canvas.getRootElement()) canvas.setRootElement(plane);
  if (element.parent) canvas.scrollToElement(element, 80);
}

// Selects an element too; answers whether there is one.
export function reveal(modeler, id) {
  const element = modeler.get("elementRegistry").get(id);
  if (!element) return false;
  intoSight(modeler, element);
  modeler.get("selection").select(element.parent ? element : null);
  return true;
}
