import type { LanguageModelV4 } from "@ai-sdk/provider";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { CLASSIFY_PLAN } from "./classify-plan.ts";
import { gullible } from "./gullible.ts";
import { reviewPlan, type ReviewSubject } from "./review-plan.ts";
import { scriptedModel } from "./scripted-model.ts";

/** The models of the two agents, and how they are called on the screen. */
export interface Models {
  readonly reviewer: LanguageModelV4;
  readonly classifier: LanguageModelV4;
  readonly name: string;
  /** Scripts do the same on every run, so more can be expected of it. */
  readonly isScripted: boolean;
}

/** A setting that a person got wrong. */
export class SettingError extends Error {}

export type Environment = Readonly<Record<string, string | undefined>>;

/** An OpenAI-compatible endpoint when `AMBIT_MODEL_URL` and `AMBIT_MODEL` name one, else gullible scripts. Throws `SettingError` for half a setting. */
export function modelsFrom(environment: Environment, subject: ReviewSubject): Models {
  const { AMBIT_MODEL_URL: url, AMBIT_MODEL: name, AMBIT_MODEL_KEY: key } = environment;
  if (url === undefined || url === "") {
    return {
      reviewer: scriptedModel(gullible(reviewPlan(subject))),
      classifier: scriptedModel(gullible(CLASSIFY_PLAN)),
      name: "a gullible script",
      isScripted: true,
    };
  }
  if (!URL.canParse(url)) throw new SettingError("`AMBIT_MODEL_URL` is not a URL");
  if (name === undefined || name === "") throw new SettingError("`AMBIT_MODEL_URL` needs `AMBIT_MODEL`, the name of the model");
  const model = createOpenAICompatible({ name: "endpoint", baseURL: url, ...(key === undefined ? {} : { apiKey: key }) }).chatModel(name);
  return { reviewer: model, classifier: model, name: `${name} at ${new URL(url).host}`, isScripted: false };
}
