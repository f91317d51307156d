// Validates an AsyncAPI document with the official parser: prints its problems, one a line, and exits 1 if there is one.
import { createRequire } from "node:module";

const [modules, file] = process.argv.slice(2);
const require = createRequire(`${modules}/package.json`);
const { Parser, fromFile } = require("@asyncapi/parser");
const { AvroSchemaParser } = require("@asyncapi/avro-schema-parser");

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await fromFile(parser, file).parse();
const errors = diagnostics.filter((found) => found.severity === 0);
for (const found of errors) console.log(`${found.path.join("/")}: ${found.message}`);
if (document) console.log(`${document.channels().all().length} channels, ${document.operations().all().length} operations`);
process.exit(document && errors.length === 0 ? 0 : 1);
