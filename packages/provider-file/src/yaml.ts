// For programs that read other YAML files with the same rules: `@holdfast/provider-file/yaml`, which loads the parser.
export { describeYamlProblem, parseYamlSource, type YamlProblem, type YamlSource } from "./yaml-source.ts";
