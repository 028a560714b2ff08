// The other end of node_lines.py: answers each line of JSON with one line, {answer} or {error}.
import { createInterface } from "node:readline";

export async function answerLines(answer) {
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await Promise.resolve(JSON.parse(line))
      .then(answer)
      .then((value) => ({ answer: value }), (error) => ({ error: String(error) }));
    console.log(JSON.stringify(reply));
  }
}
