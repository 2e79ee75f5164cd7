// Entry point for programs that read other YAML files with the same rules: `@holdfast/provider-file/yaml`. It loads the
// YAML parser.
export { describeYamlProblem, parseYamlSource, type YamlProblem, type YamlSource } from "./yaml-source.ts";
