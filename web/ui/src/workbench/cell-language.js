// Takes the place of @bpmn-io/lang-feel in the editors of others: its colours and brackets, none of its snippets and words
// (`some … satisfies`, `for … return`), which Usher's language does not have.
export { feel } from "../../node_modules/@bpmn-io/lang-feel/dist/index.js";

export const snippets = [];
export const keywordCompletions = [];
export const snippetCompletion = () => () => null;
