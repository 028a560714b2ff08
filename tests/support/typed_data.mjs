// viem's hash of typed data as wallets take it (eth_signTypedData_v4).
import { hashTypedData } from "viem";
import { answerLines } from "./lines.mjs";

await answerLines(hashTypedData);
