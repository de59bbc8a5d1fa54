import { LockstepError, type StoredTensor, type TensorSource } from '@lockstep/core';
import type { TensorLayout, TensorLocation } from './families/family.ts';
import { renderShape, type FileTensor } from './formats/file-tensor.ts';

const LISTED_PROBLEMS = 20;

/**
 * The tensors of a model, `expected`, from its files' tensors.
 * @throws LockstepError `data` that lists what the files lack, what they have besides and what has another shape or an unknown type.
 */
export function arrangeTensors(path: string, expected: readonly StoredTensor[], files: readonly FileTensor[], layout: TensorLayout): TensorSource {
  const stored = byBareName(files, layout);
  const locations = new Map(expected.map((tensor) => [tensor.name, layout.locate(tensor)]));
  refuseProblems(path, findProblems(path, stored, [...locations.values()], layout));
  return {
    tensors: expected,
    read: (name) => {
      const location = locations.get(name);
      if (location === undefined) throw new LockstepError('data', `${path} has no tensor ${name}`);
      return location.arrange(stored.get(location.stored.name)!.read());
    },
  };
}

function byBareName(files: readonly FileTensor[], { optionalPrefix }: TensorLayout): Map<string, FileTensor> {
  const stored = new Map<string, FileTensor>();
  for (const tensor of files) {
    const name = tensor.name.startsWith(optionalPrefix) ? tensor.name.slice(optionalPrefix.length) : tensor.name;
    const other = stored.get(name);
    if (other !== undefined) throw new LockstepError('data', `${tensor.file}: ${tensor.name} is also ${other.name} of ${other.file}`);
    stored.set(name, tensor);
  }
  return stored;
}

function findProblems(path: string, stored: ReadonlyMap<string, FileTensor>, locations: readonly TensorLocation[], layout: TensorLayout): string[] {
  const places = new Map(locations.map((location) => [location.stored.name, location.stored.shape]));
  const misfits = [...places].flatMap(([name, shape]) => {
    const found = stored.get(name);
    if (found === undefined) return [`${path}: ${name} ${renderShape(shape)} is missing`];
    if (!found.isReadable) return [`${found.file}: ${found.name} has type ${found.type}, which Lockstep does not read`];
    return renderShape(found.shape) === renderShape(shape) ? [] : [`${found.file}: ${found.name} has shape ${renderShape(found.shape)}, expected ${renderShape(shape)}`];
  });
  const extras = [...stored].filter(([name]) => !places.has(name) && !layout.isRedundant(name));
  return [...misfits, ...extras.map(([, { file, name, shape }]) => `${file}: ${name} ${renderShape(shape)} is no part of such a model`)];
}

function refuseProblems(path: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const listed = problems.slice(0, LISTED_PROBLEMS).map((problem) => `\n  ${problem}`).join('');
  const rest = problems.length > LISTED_PROBLEMS ? `\n  and ${problems.length - LISTED_PROBLEMS} more` : '';
  throw new LockstepError('data', `${path}: the tensors are not those of the model that its configuration describes:${listed}${rest}`);
}
