// The numbers of all tokens whose text has one of the given characters (ASCII), in one line.
// ./tidestream inspect --json | node docs/examples/tokens-with.mjs CHARACTERS
import { readFileSync } from "node:fs";
const { metadata } = JSON.parse(readFileSync(0, "utf8"));
const characters = [...process.argv[2]];
const numbers = metadata["tokenizer.ggml.tokens"].flatMap((text, number) => characters.some((c) => text.includes(c)) ? [number] : []);
console.log(numbers.join(" "));
