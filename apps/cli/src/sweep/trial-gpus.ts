/** The GPUs of the trials at one of `parallel` places, as `CUDA_VISIBLE_DEVICES` names them: no two places share one while there are enough. */
export function gpusOfPlace(gpus: readonly string[], place: number, parallel: number): readonly string[] {
  const own = gpus.filter((_, index) => index % parallel === place);
  return own.length > 0 ? own : gpus.slice(place % gpus.length, place % gpus.length + 1);
}
