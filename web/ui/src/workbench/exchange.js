// Diagrams in and out: a .bpmn file takes the place of what is drawn, and the diagram leaves as .bpmn or as a picture.
import { drawn, isDrawn } from "./drawn.js";
import { element } from "./draft-file.js";
import { showLosses, showUnreadable } from "./references.js";
import { mayReplace, offerBack } from "./restore-points.js";

// `settle` writes pending input into the diagram; `changed` reports that the diagram was replaced.
export function exchange(modeler, sizes, file, { changed, settle }) {
  const known = file.facts;
  const chooser = document.querySelector("[data-import]");
  chooser.addEventListener("change", async () => {
    const [chosen] = chooser.files;
    chooser.value = "";
    if (!chosen) return;
    const before = isDrawn(modeler) ? await xmlOf(modeler) : "";
    const text = await chosen.text();
    try {
      await modeler.get("moddle").fromXML(text, "bpmn:Definitions");
      await file.save(); // what is drawn now is what the server keeps
      if (!(await mayReplace(file, chosen.name, text))) return;
      const losses = await drawn(modeler, text);
      sizes.fit();
      changed();
      await file.save({ before: "import" });
      offerBack(file, `${chosen.name} took the place of the diagram.`, "Take the import back");
      if (losses.length > 0) showLosses(losses);
    } catch (problem) {
      if (before) await drawn(modeler, before); // the editor has let go of it
      showUnreadable(chosen.name, problem, element("p", "", "What is in the draft stays as it is."));
    }
  });
  const name = known.file.split("/").pop();
  return {
    importDiagram: () => chooser.click(),
    async exportDiagram() {
      settle();
      save(name, "application/xml", await xmlOf(modeler));
    },
    async exportPicture() {
      settle();
      save(name.replace(/\.bpmn$/, ".svg"), "image/svg+xml", plain((await modeler.saveSVG()).svg));
    },
  };
}

async function xmlOf(modeler) {
  return (await modeler.saveXML({ format: true })).xml;
}

// Pictures leave this page's variables behind: they get the colours that are shown.
function plain(svg) {
  const style = getComputedStyle(document.documentElement);
  return svg.replaceAll(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim() || "black");
}

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
