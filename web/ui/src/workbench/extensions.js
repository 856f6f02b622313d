// Our extension elements of a BPMN element (spiff.json), read and written. Each change is one step that can be undone;
// extension elements of others stay as they are.
const PREFIX = "spiffworkflow:";

export class Extensions {
  constructor(modeler) {
    this.moddle = modeler.get("moddle");
    this.modeling = modeler.get("modeling");
  }

  // The text of `PreScript`, `InstructionsForEndUser`, …
  text(object, type) {
    return this.#find(object, type)?.value ?? "";
  }

  setText(element, object, type, text) {
    const made = text.trim() ? this.moddle.create(PREFIX + type, { value: text }) : null;
    this.#replace(element, object, type, made);
  }

  // A property by name, as form, dueIn or priority.
  property(object, name) {
    return this.#properties(object).find((one) => one.name === name)?.value ?? "";
  }

  setProperty(element, object, name, value) {
    const kept = this.#properties(object).filter((one) => one.name !== name);
    const place = this.#properties(object).findIndex((one) => one.name === name);
    const all = kept.map((one) => ({ name: one.name, value: one.value }));
    if (value) all.splice(place < 0 ? all.length : place, 0, { name, value });
    const made = all.length > 0 ? this.moddle.create(`${PREFIX}Properties`, {}) : null;
    if (made) made.properties = all.map((one) => this.#child(made, "Property", one));
    this.#replace(element, object, "Properties", made);
  }

  // {id, resultVariable, parameters: {name: expression}}
  operator(object) {
    const found = this.#find(object, "ServiceTaskOperator");
    const parameters = Object.fromEntries((found?.parameterList?.parameters ?? []).map((one) => [one.id, one.value ?? ""]));
    return { id: found?.id ?? "", resultVariable: found?.resultVariable ?? "", parameters };
  }

  setOperator(element, object, { id, resultVariable, parameters }) {
    const before = this.#find(object, "ServiceTaskOperator");
    const made = id || resultVariable ? this.moddle.create(`${PREFIX}ServiceTaskOperator`, {}) : null;
    if (made) {
      made.set("id", id || undefined);
      made.set("resultVariable", resultVariable || undefined);
      const list = this.#child(made, "Parameters", {});
      list.parameters = Object.entries(parameters)
        .filter(([, value]) => value !== "")
        .map(([name, value]) => this.#child(list, "Parameter", { id: name, type: "any", value }));
      if (list.parameters.length > 0) made.parameterList = list;
      if (before?.retry) made.retry = before.retry;
    }
    this.#replace(element, object, "ServiceTaskOperator", made);
  }

  #properties(object) {
    return this.#find(object, "Properties")?.properties ?? [];
  }

  #find(object, type) {
    return object.extensionElements?.values?.find((one) => one.$type === PREFIX + type);
  }

  #child(parent, type, attributes) {
    const made = this.moddle.create(PREFIX + type, attributes);
    made.$parent = parent;
    return made;
  }

  #replace(element, object, type, made) {
    const there = object.extensionElements?.values ?? [];
    const place = there.findIndex((one) => one.$type === PREFIX + type);
    const values = there.filter((one) => one.$type !== PREFIX + type);
    if (made) values.splice(place < 0 ? values.length : place, 0, made);
    if (values.length === 0 && there.length === 0) return;
    const extensionElements = values.length > 0 ? this.moddle.create("bpmn:ExtensionElements", { values }) : undefined;
    if (extensionElements) extensionElements.$parent = object;
    for (const one of values) one.$parent = extensionElements;
    this.modeling.updateModdleProperties(element, object, { extensionElements });
  }
}
