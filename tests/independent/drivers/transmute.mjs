// @transmute/rfc9162: the verification algorithm of RFC 9162, section 2.1.3.2.

import { createRequire } from "node:module";
import { main } from "./exchange.mjs";

const { RFC9162 } = createRequire(`${process.env.MODULES}/`)("@transmute/rfc9162");

main(() => ({
  inclusion: async (entry) =>
    RFC9162.verifyInclusionProof(entry.root, await RFC9162.leaf(entry.leaf), {
      log_id: "",
      tree_size: entry.size,
      leaf_index: entry.index,
      inclusion_path: entry.path,
    }),
}));
