export { inferManifest, type InferredManifest, type InferredTool, type ToolFacts } from "@ambit/cli/infer";
