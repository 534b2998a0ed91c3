// @sigstore/verify: what npm itself uses; the head's signature, then the inclusion proof.

import { createHash, createPublicKey } from "node:crypto";
import { createRequire } from "node:module";
import { main } from "./exchange.mjs";

const modules = createRequire(`${process.env.MODULES}/`);
const { verifyMerkleInclusion } = modules("@sigstore/verify/dist/tlog/merkle.js");
const { verifyCheckpoint } = modules("@sigstore/verify/dist/tlog/checkpoint.js");
const SPKI = Buffer.from("302a300506032b6570032100", "hex"); // RFC 8410, before the 32 bytes.

function trusted(vkey) {
  const [name, , encoded] = vkey.split(/\+(.{8})\+/);
  const key = Buffer.from(encoded, "base64");
  const id = createHash("sha256").update(`${name}\n`).update(key).digest();
  const der = Buffer.concat([SPKI, key.subarray(1)]);
  const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
  return { logID: id, baseURL: name, publicKey };
}

main((vkey) => {
  const log = trusted(vkey);
  return {
    signatures: true,
    inclusion: (entry) => {
      const asked = {
        canonicalizedBody: entry.leaf,
        inclusionProof: {
          logIndex: String(entry.index),
          hashes: entry.path,
          checkpoint: { envelope: entry.note },
        },
      };
      verifyMerkleInclusion(asked, verifyCheckpoint(asked, [log]));
    },
  };
});
