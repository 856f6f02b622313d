// One change made of several commands: one Ctrl+Z takes all of it back.
class Several {
  static $inject = ["commandStack"];

  constructor(commandStack) {
    this.commandStack = commandStack;
  }

  preExecute({ commands }) {
    for (const { name, context } of commands) this.commandStack.execute(name, context);
  }
}

class Registration {
  static $inject = ["commandStack"];

  constructor(commandStack) {
    commandStack.registerHandler("usher.several", Several);
  }
}

export const SeveralModule = { __init__: ["usherSeveral"], usherSeveral: ["type", Registration] };

export function update(element, moddleElement, properties) {
  return { name: "element.updateModdleProperties", context: { element, moddleElement, properties } };
}
