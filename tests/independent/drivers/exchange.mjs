// Reads an exchange folder and asks a program about each thing in it; see exchange.py.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export function readEntry(leafFile, proofFile) {
  const text = readFileSync(proofFile, "utf8");
  const cut = text.indexOf("\n\n");
  const [, index, ...path] = text.slice(0, cut).split("\n");
  const note = text.slice(cut + 2);
  const [, size, root] = note.split("\n");
  return {
    leaf: readFileSync(leafFile),
    index: Number(index.split(" ")[1]),
    path: path.map((each) => Buffer.from(each, "base64")),
    note,
    size: Number(size),
    root: Buffer.from(root, "base64"),
  };
}

async function accepts(ask, entry) {
  try {
    return (await ask(entry)) !== false;
  } catch {
    return false;
  }
}

// A program is {inclusion(entry), signatures}; it answers false or throws to refuse.
export async function main(make) {
  const folder = process.argv[2];
  const program = make(readFileSync(join(folder, "vkey"), "utf8"));
  const answer = { controls: 0, refused: 0, inclusion: 0, wrong: [] };
  const events = readdirSync(join(folder, "events")).filter((each) => each.endsWith(".json"));
  for (const name of events.sort()) {
    const file = join(folder, "events", name);
    const entry = readEntry(file, file.replace(/json$/, "tlog-proof"));
    if (await accepts(program.inclusion, entry)) answer.inclusion += 1;
    else answer.wrong.push(`inclusion ${name} refused`);
  }
  for (const kind of program.signatures ? ["inclusion", "signature"] : ["inclusion"]) {
    for (const name of readdirSync(join(folder, "controls", kind))) {
      const control = join(folder, "controls", kind, name);
      answer.controls += 1;
      const entry = readEntry(join(control, "event.json"), join(control, "event.tlog-proof"));
      if (await accepts(program.inclusion, entry)) answer.wrong.push(`control ${name} accepted`);
      else answer.refused += 1;
    }
  }
  process.stdout.write(JSON.stringify(answer));
}
