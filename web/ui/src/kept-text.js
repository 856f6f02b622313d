// Text a person has typed, kept in this browser until the server has it: IndexedDB, encrypted with AES-GCM. The key comes
// with the page (kept_text_key.py) and is not kept; without it the text is unreadable, also for the next person here.
const NAME = "usher-kept";
const STORE = "texts";
const OLDEST_MS = 7 * 24 * 3600 * 1000;

let opened = null;

// Answers the vault of the person this page is for, or null where the browser has none.
export function vault() {
  opened ??= open(document.body.dataset.who, document.body.dataset.keptKey);
  delete document.body.dataset.keptKey;
  return opened;
}

async function open(who, key) {
  if (!who || !key || !globalThis.crypto?.subtle || !globalThis.indexedDB) return null;
  try {
    const bytes = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
    const secret = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    const made = new Vault(who, secret, await database());
    await made.sweep();
    return made;
  } catch {
    return null; // private windows of some browsers have no IndexedDB
  }
}

class Vault {
  constructor(who, secret, db) {
    this.who = who;
    this.secret = secret;
    this.db = db;
  }

  // Keeps `value` under the name `about`; resolves when it is on the disk.
  async put(about, value) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify(value));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: this.#bound(about) }, this.secret, plain);
    await this.#do("readwrite", (store) => store.put({ id: this.#id(about), iv, sealed, at: Date.now() }));
  }

  // What was kept under `about`; null if there is nothing, or nothing that this key opens.
  async get(about) {
    const row = await this.#do("readonly", (store) => store.get(this.#id(about)));
    return row ? this.#opened(about, row) : null;
  }

  remove(about) {
    return this.#do("readwrite", (store) => store.delete(this.#id(about)));
  }

  // Everything this person has kept here, as [name, value].
  async all() {
    const rows = await this.#do("readonly", (store) => store.getAll(this.#mine()));
    const abouts = rows.map((row) => row.id.slice(this.#id("").length));
    const values = await Promise.all(rows.map((row, at) => this.#opened(abouts[at], row)));
    return abouts.map((about, at) => [about, values[at]]).filter(([, value]) => value !== null);
  }

  // Forgets everything of this person, for signing out.
  clear() {
    return this.#do("readwrite", (store) => store.delete(this.#mine()));
  }

  async sweep() {
    const rows = await this.#do("readonly", (store) => store.getAll());
    const old = rows.filter((row) => Date.now() - row.at > OLDEST_MS);
    await Promise.all(old.map((row) => this.#do("readwrite", (store) => store.delete(row.id))));
  }

  async #opened(about, { iv, sealed }) {
    try {
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: this.#bound(about) }, this.secret, sealed);
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      return null; // sealed before the last sign-out
    }
  }

  #id(about) {
    return `${this.who}\n${about}`;
  }

  #mine() {
    return IDBKeyRange.bound(this.#id(""), `${this.who}\n\uffff`);
  }

  #bound(about) {
    return new TextEncoder().encode(this.#id(about));
  }

  #do(mode, act) {
    return new Promise((resolve, reject) => {
      const transaction = this.db.transaction(STORE, mode);
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }
}

function database() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = asked.onblocked = () => reject(asked.error);
  });
}
