// Why: tests run from source through the `@ambit/source` condition, so a file missing from a tarball, a wrong `exports` entry, an undeclared dependency
// or a declaration that does not resolve would be found by the first user. Here the tarballs are installed elsewhere, type-checked and run.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const TIMEOUT = 300_000;
const root = resolve(import.meta.dirname, "..");
const consumer = mkdtempSync(join(tmpdir(), "ambit-smoke-"));
const run = (program, args, cwd) => execFileSync(program, args, { cwd, encoding: "utf8", timeout: TIMEOUT, stdio: ["ignore", "pipe", "inherit"] });
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

try {
  const folders = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
  const dependencies = { "@types/node": readJson(join(root, "package.json")).devDependencies["@types/node"] };
  for (const folder of folders) {
    const { name, peerDependencies = {}, devDependencies = {} } = readJson(join(folder, "package.json"));
    const [packed] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", consumer], folder));
    const files = packed.files.map(({ path }) => path);
    for (const needed of ["README.md", "LICENSE", "dist/"])
      if (!files.some((path) => path.startsWith(needed))) throw new Error(`${name} is packed without ${needed}`);
    dependencies[name] = `file:${packed.filename}`;
    // Frameworks in the version that the tests ran with.
    for (const peer of Object.keys(peerDependencies)) dependencies[peer] = devDependencies[peer];
    console.log(`packed ${packed.filename}: ${files.length} files, ${packed.size} bytes`);
  }

  // `dom` for the types of fetch, which the declarations of the frameworks name.
  const compilerOptions = {
    target: "es2023",
    lib: ["es2024", "esnext.disposable", "dom"],
    module: "nodenext",
    types: ["node"],
    strict: true,
    skipLibCheck: false,
  };
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
  copyFileSync(join(root, "tools/smoke-packed/consumer.ts"), join(consumer, "consumer.ts"));
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"], consumer);
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc")], consumer);
  process.stdout.write(run(process.execPath, ["consumer.js"], consumer));
  process.stdout.write(`ambit --version: ${run(process.execPath, ["node_modules/.bin/ambit", "--version"], consumer)}`);
} catch (error) {
  // What a program printed before it failed is what tells why.
  console.error([error.stdout, error.message].filter(Boolean).join("\n"));
  process.exitCode = 1;
} finally {
  rmSync(consumer, { recursive: true, force: true });
}
