import { describeAdapter } from "@ambit/conformance";
import { harness } from "./support/example.ts";

describeAdapter("the adapter of the README", harness);
