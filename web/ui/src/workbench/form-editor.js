// The form of a task: form-js draws and edits, the server checks and keeps it.
import { FormEditor } from "@bpmn-io/form-js-editor";
import { DraftFile, actions, facts, styles } from "./draft-file.js";
import { Findings } from "./findings.js";
import { Pauses } from "./pauses.js";

export async function editForm(host) {
  const known = facts();
  let editor = null;
  const read = () => `${JSON.stringify(editor.saveSchema(), null, 2)}\n`;
  const pauses = new Pauses();
  const reopen = async (merged) => {
    await editor.importSchema(JSON.parse(merged));
    findings.soon(read);
  };
  const file = new DraftFile(known, read, () => pauses.settle(), reopen);
  const findings = new Findings(known, { about: (key) => component(editor, key) });
  await styles("form-editor.css");
  const text = await file.recover(facts("text"));
  editor = new FormEditor({ container: host, additionalModules: [{ debounce: ["value", pauses.later] }] });
  try {
    await editor.importSchema(JSON.parse(text));
  } catch (problem) {
    host.textContent = `This form cannot be opened here: ${problem.message}. Download it from the list of files and repair it.`;
    findings.begin();
    return;
  }
  editor.on("commandStack.changed", () => {
    file.changed();
    findings.soon(read);
  });
  const commands = editor.get("commandStack");
  actions({ save: () => file.save(), undo: () => commands.undo(), redo: () => commands.redo() });
  findings.begin();
}

// A finding names a field by its key, or a component by its id.
function component(editor, key) {
  const all = editor.get("formFieldRegistry").getAll();
  const found = all.find((one) => one.key === key || one.id === key);
  if (!found) return null;
  return { label: found.label || key, show: () => editor.get("selection").set(found) };
}
