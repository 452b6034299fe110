// The SDK with one thing more: it passes on the problem document of a refusal.

import { Centrifuge } from "centrifuge";
import type { Problem as Document } from "./contract.js";

type Reply = { error?: { code: number; message: string; problem?: Document } };
type Codec = { decodeReplies(data: unknown): Reply[] };

export class Sdk extends Centrifuge {
  constructor(...options: ConstructorParameters<typeof Centrifuge>) {
    super(...options);
    const codec: Codec = this._codec;
    const decode = codec.decodeReplies.bind(codec);
    codec.decodeReplies = (data) => decode(data).map(withProblem);
  }
}

/** Of an error the SDK hands on code and message: the document travels as the latter. */
function withProblem(reply: Reply): Reply {
  if (reply.error?.problem) reply.error.message = JSON.stringify(reply.error.problem);
  return reply;
}
