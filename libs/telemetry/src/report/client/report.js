/* global uPlot, document, window, matchMedia, ResizeObserver, ImageData, atob, getComputedStyle */
(() => {
  const { steps, epochs } = JSON.parse(document.getElementById('curves').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const grouped = new Intl.NumberFormat('en', { maximumSignificantDigits: 5 });
  const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
  const percent = (digits) => (value) => `${(value * 100).toFixed(digits)} %`;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const line = (label, stroke, options = {}) => ({ label, stroke: color(stroke), width: 2, points: { show: false }, ...options });
  const validationLine = (options = {}) => line('validation', 'validation', { points: { show: true, size: 7, width: 2, fill: color('card') }, ...options });

  /** A logarithmic axis has its lines at 1, 2 and 5 times the powers of ten. */
  const only125 = (_, splits) => splits.map((value) => (Math.abs(roundLow(value * 1.001) / value - 1) < 0.01 ? value : null));

  /** The next lower of 1, 2 and 5 times a power of ten. */
  function roundLow(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [5, 2, 1].find((factor) => factor * power <= value) * power;
  }

  /** Between the smallest and the largest of what is worth seeing: all lines but the noise of single steps. */
  const rangeOf = (columns, low, high) => () => {
    const values = columns.flat().filter(Number.isFinite);
    return values.length === 0 ? [0, 1] : [low(Math.min(...values)), high(Math.max(...values)) || 1];
  };

  /** Losses of all sizes want a logarithmic axis, which takes none of 0 or less. */
  function lossAxis() {
    const columns = [steps.lossSmooth, epochs.validationLoss];
    if (columns.flat().some((loss) => !(loss > 0))) return { scale: { range: rangeOf(columns, (low) => Math.min(low, 0), (high) => high * 1.1) } };
    return { scale: { distr: 3, range: rangeOf(columns, (low) => roundLow(low / 1.2), (high) => high * 1.1) }, gridFilter: only125 };
  }

  const charts = {
    loss: () => ({
      tables: [[steps.step, steps.loss, steps.lossSmooth], [epochs.step, epochs.validationLoss]],
      series: [line('each step', 'train-faint', { width: 1 }), line('training', 'train'), validationLine()],
      ...lossAxis(),
      tick: (value) => short.format(value),
      value: (value) => grouped.format(value),
    }),
    accuracy: () => ({
      tables: [[steps.step, steps.accuracy, steps.accuracySmooth], [epochs.step, epochs.validationAccuracy]],
      series: [line('each step', 'train-faint', { width: 1 }), line('training', 'train'), validationLine()],
      scale: { range: rangeOf([steps.accuracySmooth.slice(Math.floor(steps.step.length / 25)), epochs.validationAccuracy], (low) => low - 0.01, () => 1.004) },
      tick: percent(0),
      value: percent(2),
    }),
    examplesPerSecond: () => ({
      tables: [[steps.step, steps.examplesPerSecond]],
      series: [line('images/s', 'train')],
      scale: { range: rangeOf([steps.examplesPerSecond], () => 0, (high) => high * 1.1) },
      tick: (value) => short.format(value),
      value: (value) => grouped.format(Math.round(value)),
    }),
    learningRate: () => ({
      tables: [[steps.step, steps.learningRate]],
      series: [line('learning rate', 'train')],
      scale: { range: rangeOf([steps.learningRate], () => 0, (high) => high * 1.1) },
      tick: (value) => (value === 0 ? '0' : value.toExponential(0).replace('e-', 'e−')),
      value: (value) => grouped.format(value),
    }),
  };

  function draw(place) {
    const { tables, series, scale, gridFilter, tick, value } = charts[place.dataset.curve]();
    const filled = tables.filter(([x]) => x.length > 0);
    if (filled.length === 0) return undefined;
    const axis = { stroke: color('muted'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false }, font: `12px ${color('sans')}` };
    const shown = series.slice(0, filled.reduce((total, table) => total + table.length - 1, 0));
    const legendHeight = 24;
    return new uPlot({
      width: place.clientWidth,
      height: place.clientHeight - legendHeight,
      padding: [10, 12, 0, 0],
      scales: { x: { time: false }, y: scale },
      series: [{ label: '\u200b', value: (_, step) => (step == null ? '' : `step ${step.toLocaleString('en')}`) }, ...shown.map((entry) => ({ ...entry, value: (_, y) => (y == null ? '' : value(y)) }))],
      axes: [{ ...axis, size: 30, values: (_, splits) => splits.map((step) => short.format(step)) }, { ...axis, size: 54, ...(gridFilter && { filter: gridFilter, grid: { ...axis.grid, filter: gridFilter } }), values: (_, splits) => splits.map((y) => (y == null ? '' : tick(y))) }],
      legend: { live: true },
      cursor: { y: false, drag: { x: true, y: false } },
    }, uPlot.join(filled), place);
  }

  /** A grey picture in ink on paper, whatever the theme; a coloured one as it is. */
  function paint(canvas) {
    const channels = Number(canvas.dataset.channels);
    const pixels = Uint8Array.from(atob(canvas.dataset.pixels), (character) => character.charCodeAt(0));
    const picture = new ImageData(canvas.width, canvas.height);
    const ink = dark.matches ? 238 : 18;
    for (let pixel = 0; pixel < canvas.width * canvas.height; pixel += 1) {
      const rgba = channels === 1 ? [ink, ink, ink, pixels[pixel]] : [...pixels.subarray(pixel * 3, pixel * 3 + 3), 255];
      picture.data.set(rgba, pixel * 4);
    }
    canvas.getContext('2d').putImageData(picture, 0, 0);
  }

  function drawAll() {
    for (const place of document.querySelectorAll('[data-curve]')) {
      place.chart?.destroy();
      place.chart = draw(place);
    }
    document.querySelectorAll('canvas[data-pixels]').forEach(paint);
  }

  let width = document.documentElement.clientWidth;
  function drawAtNewWidth() {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    drawAll();
  }

  drawAll();
  dark.addEventListener('change', drawAll);
  new ResizeObserver(drawAtNewWidth).observe(document.documentElement);
})();
