// `pnpm create-adapter NAME [FOLDER]`: a package for a new kind of provider, made from examples/custom-provider under
// another name. It depends on published packages alone, so FOLDER may be anywhere.
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { runInNewContext } from "node:vm";

const root = join(import.meta.dirname, "..");
const template = join(root, "examples", "custom-provider");
const LEFT_OUT = new Set(["node_modules", "dist", "holdfast-data"]);
const TAKEN = ["consul", "file", "holdfast", "kubernetes", "memory"];

/** Every name in the template begins with one of these. */
const OLD = /roster|Roster|ROSTER/g;
/** What follows `roster` where it is (the beginning of) an identifier, and not a kind, a file or a host. */
const IN_CODE = /^(?:[A-Z]| =| }|;|\(|\.createAdapter)/;

/** `my-thing` in all its spellings. */
function spellingsOf(name) {
  const pascal = name.replaceAll(/(?:^|-)(.)/g, (_, letter) => letter.toUpperCase());
  const camel = pascal[0].toLowerCase() + pascal.slice(1);
  return { kebab: name, pascal, camel, constant: name.replaceAll("-", "_").toUpperCase() };
}

function renamed(text, { kebab, pascal, camel, constant }) {
  return text.replaceAll(OLD, (old, at) => {
    if (old === "Roster") return pascal;
    if (old === "ROSTER") return constant;
    return IN_CODE.test(text.slice(at + old.length, at + old.length + 20)) ? camel : kebab;
  });
}

async function listFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** A name of the new package that the template uses for something else already, such as `ClusterProvider`. */
async function findClash(spellings) {
  const texts = await Promise.all(
    (await listFiles(join(template, "src"))).map((file) => readFile(file, "utf8")),
  );
  const words = new Set(texts.join("\n").match(/[A-Za-z_$][\w$]*/g));
  return [...words]
    .map((word) => [word, renamed(word, spellings)])
    .find(([old, now]) => old !== now && words.has(now))?.[1];
}

async function versionOf(folder) {
  return JSON.parse(await readFile(join(root, "packages", folder, "package.json"), "utf8")).version;
}

/** The version ranges that fit this repository's packages; the example itself takes any. */
async function withVersions(manifest) {
  const folders = {
    "@holdfast/core": "core",
    "@holdfast/conformance": "conformance",
    "@holdfast/testing": "testing",
    "@holdfast/cli": "cli",
  };
  for (const dependencies of [manifest.dependencies, manifest.devDependencies]) {
    for (const [name, folder] of Object.entries(folders)) {
      if (name in dependencies) dependencies[name] = `^${await versionOf(folder)}`;
    }
  }
  return manifest;
}

/** Whether a constant of a module can be called this: `default` and `class` cannot. */
function isIdentifier(word) {
  try {
    runInNewContext(`"use strict"; const ${word} = 0;`);
    return true;
  } catch {
    return false;
  }
}

async function refusalOf(name, rest) {
  if (name === undefined || rest.length > 0) return "usage: pnpm create-adapter NAME [FOLDER]";
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name) || name.length > 40) {
    return "NAME is the new kind: small letters, digits and single hyphens, a letter first, at most 40 characters";
  }
  if (TAKEN.includes(name)) return `Holdfast already has a kind "${name}": choose another NAME`;
  const spellings = spellingsOf(name);
  if (!isIdentifier(spellings.camel)) return `${name} is a word of the language: choose another NAME`;
  const clash = await findClash(spellings);
  if (clash !== undefined)
    return `with this NAME the package would have two things called ${clash}: choose another`;
  return undefined;
}

async function create(name, target) {
  const spellings = spellingsOf(name);
  await mkdir(dirname(target), { recursive: true });
  await mkdir(target); // fails when it exists
  for (const entry of await readdir(template)) {
    if (!LEFT_OUT.has(entry)) await cp(join(template, entry), join(target, entry), { recursive: true });
  }
  for (const file of await listFiles(target)) {
    await writeFile(file, renamed(await readFile(file, "utf8"), spellings));
    const path = join(dirname(file), renamed(file.slice(dirname(file).length + 1), spellings));
    if (path !== file) await rename(file, path);
  }
  const manifest = join(target, "package.json");
  const content = await withVersions(JSON.parse(await readFile(manifest, "utf8")));
  await writeFile(manifest, `${JSON.stringify(content, undefined, 2)}\n`);
}

const [name, folder, ...rest] = process.argv.slice(2);
const refusal = await refusalOf(name, rest);
// pnpm runs scripts in the root; relative paths are meant from where it was called.
const target = resolve(process.env.INIT_CWD ?? process.cwd(), folder ?? `holdfast-provider-${name}`);
if (refusal === undefined) {
  try {
    await create(name, target);
    console.log(`made ${target}

Next:
  cd ${target}
  npm install
  npm test          the conformance suite and the adapter's own tests: they pass
  then follow README.md, "Write an adapter in five steps"`);
  } catch (error) {
    console.error(error.code === "EEXIST" ? `there is a ${target} already: nothing was changed` : error);
    process.exitCode = 1;
  }
} else {
  console.error(refusal);
  process.exitCode = 2;
}
