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

// The same for a change whose commands follow from each other: `act` carries them out one by one.
class Together {
  preExecute({ act }) {
    act();
  }
}

class Registration {
  static $inject = ["commandStack"];

  constructor(commandStack) {
    commandStack.registerHandler("usher.several", Several);
    commandStack.registerHandler("usher.together", Together);
  }
}

export const SeveralModule = { __init__: ["usherSeveral"], usherSeveral: ["type", Registration] };

export function update(element, moddleElement, properties) {
  return { name: "element.updateModdleProperties", context: { element, moddleElement, properties } };
}
