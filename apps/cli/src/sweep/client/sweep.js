/* global uPlot, document, matchMedia, getComputedStyle, ResizeObserver */
(() => {
  const { metric, fields, curves } = JSON.parse(document.getElementById('data').textContent);
  const grouped = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const number = (value) => (value == null ? '' : Math.abs(value) > 0 && Math.abs(value) < 0.001 ? value.toExponential(2) : grouped.format(value));
  /** Evenly around the colour wheel, the best trial first. */
  const hue = (index) => `hsl(${(215 + index * 137.5) % 360} 65% 52%)`;
  const axis = () => ({ stroke: color('muted'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false }, font: `12px ${color('sans')}`, values: (_, splits) => splits.map(number) });

  /** Room on both sides of the values, so that no point is cut. */
  function paddedRange(values, isLog) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (isLog) return [low / 1.5, high * 1.5];
    const room = (high - low || Math.abs(high) || 1) * 0.08;
    return [low - room, high + room];
  }

  function fieldPlot({ field, isLog, names, points }) {
    const xs = points.map(({ x }) => x);
    const runAt = (_, value, __, index) => (index == null ? '' : points[index].run + ': ' + number(value));
    return {
      options: {
        scales: { x: { time: false, distr: isLog ? 3 : 1, range: () => paddedRange(names === null ? xs : [0, names.length - 1], isLog) }, y: { range: () => paddedRange(points.map(({ score }) => score), false) } },
        series: [
          { label: field, value: (_, x) => (x == null ? '' : (names?.[x] ?? number(x))) },
          { label: metric, stroke: color('point'), paths: () => null, points: { show: true, size: 9, fill: color('point') }, value: runAt },
        ],
        axes: [names === null ? axis() : { ...axis(), splits: () => names.map((_, index) => index), values: () => names }, { ...axis(), size: 64 }],
      },
      data: [xs, points.map(({ score }) => score)],
    };
  }

  function curvesPlot() {
    const numEpochs = Math.max(...curves.map(({ loss }) => loss.length));
    const losses = curves.flatMap(({ loss }) => loss).filter((value) => value !== null);
    const isLog = losses.every((value) => value > 0);
    return {
      options: {
        scales: { x: { time: false, range: () => [0.5, numEpochs + 0.5] }, y: { distr: isLog ? 3 : 1, range: () => paddedRange(losses, isLog) } },
        series: [{ label: 'epoch' }, ...curves.map(({ run }, index) => ({ label: run, stroke: hue(index), width: 2, points: { show: true, size: 5 }, value: (_, value) => number(value) }))],
        axes: [{ ...axis(), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }, { ...axis(), size: 64 }],
      },
      data: [Array.from({ length: numEpochs }, (_, epoch) => epoch + 1), ...curves.map(({ loss }) => Array.from({ length: numEpochs }, (_, epoch) => loss[epoch] ?? null))],
    };
  }

  function draw(place) {
    const { plot } = place.dataset;
    const field = fields[Number(plot.replace('field-', ''))];
    if (plot !== 'curves' && field.points.length === 0) return undefined;
    const { options, data } = plot === 'curves' ? curvesPlot() : fieldPlot(field);
    return new uPlot({ width: place.clientWidth, height: 280, cursor: { y: false }, ...options }, data, place);
  }

  function drawAll() {
    for (const place of document.querySelectorAll('[data-plot]')) {
      place.chart?.destroy();
      place.chart = draw(place);
    }
  }

  let width = 0;
  new ResizeObserver(() => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    drawAll();
  }).observe(document.documentElement);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
})();
