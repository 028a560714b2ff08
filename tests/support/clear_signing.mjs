// What a wallet shows by interfaces/clear-signing of a {transaction} or {typedData}: the renderer's display model. With the
// question comes what a wallet knows by itself: names, tokens and chains.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, formatTypedData } from "@ethereum-sourcify/clear-signing";
import { createFilesystemResolver } from "@ethereum-sourcify/clear-signing/filesystem";
import { keccak256, toBytes } from "viem";
import { answerLines } from "./lines.mjs";

const folder = fileURLToPath(new URL("../../interfaces/clear-signing", import.meta.url));

const descriptors = readdirSync(folder).map((path) => ({ path, ...JSON.parse(readFileSync(`${folder}/${path}`, "utf8")) }));

// By chain and contract, as wallets look descriptors up.
function indexFor({ chainId, contract }) {
  const key = `eip155:${chainId}:${contract.toLowerCase()}`;
  const index = { calldataIndex: {}, typedDataIndex: { [key]: {} } };
  for (const { path, context, display } of descriptors) {
    const bound = (d) => d.chainId === chainId && d.address.toLowerCase() === contract.toLowerCase();
    if (!(context.contract ?? context.eip712).deployments.some(bound)) continue;
    if (context.contract) index.calldataIndex[key] = path;
    for (const type of context.eip712 ? Object.keys(display.formats) : []) {
      const entry = { path, encodeTypeHashes: [keccak256(toBytes(type))] };
      index.typedDataIndex[key][type.split("(")[0]] = [entry];
    }
  }
  return index;
}

function options({ transaction, typedData, names = {}, tokens = {}, chains = {}, trusted = {} }) {
  const about = transaction
    ? { chainId: transaction.chainId, contract: transaction.to }
    : { chainId: typedData.domain.chainId, contract: typedData.domain.verifyingContract };
  const resolver = createFilesystemResolver({ index: indexFor(about), descriptorDirectory: folder });
  const named = (address) => (names[address.toLowerCase()] ? { name: names[address.toLowerCase()], typeMatch: true } : null);
  return {
    descriptorResolverOptions: { type: "custom", resolver, trustedTokens: trusted },
    externalDataProvider: {
      resolveLocalName: async (address) => named(address),
      resolveToken: async (chainId, address) => tokens[address.toLowerCase()] ?? null,
      resolveChainInfo: async (chainId) => chains[chainId] ?? null,
    },
  };
}

await answerLines((question) => {
  const { transaction, typedData } = question;
  return transaction
    ? format({ ...transaction, value: BigInt(transaction.value) }, options(question))
    : formatTypedData(typedData, options(question));
});
