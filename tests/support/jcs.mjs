// The canonical form and the signature of a node.json by node.js alone, as an oracle.
// Lines of JSON in: {"sign": TEXT} or {"verify": TEXT, "value": BASE64URL}, TEXT being a document.
// Lines of JSON out: {"canonical": TEXT, "value": BASE64URL, "key": HEX} or {"good": BOOLEAN}.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { createInterface } from "node:readline";

const key = createPrivateKey(process.argv[2]);
const publicKey = createPublicKey(key);
const spki = publicKey.export({ type: "spki", format: "der" });
const id = createHash("sha256").update(spki).digest("hex").slice(0, 16);

function jcs(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return "[" + value.map(jcs).join(",") + "]";
  const names = Object.keys(value).sort(); // by UTF-16 code units
  return "{" + names.map((name) => JSON.stringify(name) + ":" + jcs(value[name])).join(",") + "}";
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const document = JSON.parse(asked.sign ?? asked.verify);
  delete document.signature;
  const canonical = jcs(document);
  if (asked.sign !== undefined) {
    const value = sign(null, Buffer.from(canonical), key).toString("base64url");
    console.log(JSON.stringify({ canonical, value, key: id }));
  } else {
    const good = verify(null, Buffer.from(canonical), publicKey, Buffer.from(asked.value, "base64url"));
    console.log(JSON.stringify({ good }));
  }
}
