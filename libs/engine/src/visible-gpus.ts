import { execFileSync } from 'node:child_process';

/** Model names of the GPUs that this process may use: NVIDIA's list, narrowed by `CUDA_VISIBLE_DEVICES`. Loads no library. */
export function visibleGpus(): readonly string[] {
  const all = installedGpus();
  const visible = process.env['CUDA_VISIBLE_DEVICES'];
  if (visible === undefined) return all.map((gpu) => gpu.name);
  return visible.split(',').flatMap((device) => all.find((gpu) => gpu.index === device.trim() || (device.startsWith('GPU-') && gpu.uuid.startsWith(device.trim())))?.name ?? []);
}

function installedGpus(): readonly { index: string; uuid: string; name: string }[] {
  try {
    const lines = execFileSync('nvidia-smi', ['--query-gpu=index,uuid,name', '--format=csv,noheader'], { encoding: 'utf8', timeout: 5000, stdio: ['ignore', 'pipe', 'ignore'] });
    return lines.trim().split('\n').map((line) => {
      const [index = '', uuid = '', name = ''] = line.split(', ');
      return { index, uuid, name };
    });
  } catch {
    return [];
  }
}
