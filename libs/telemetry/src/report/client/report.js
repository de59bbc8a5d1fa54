/* global uPlot, document, window, matchMedia, ResizeObserver, ImageData, atob, getComputedStyle */
(() => {
  const { steps, epochs } = JSON.parse(document.getElementById('curves').textContent);
  const grouped = new Intl.NumberFormat('en', { maximumSignificantDigits: 5 });
  const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
  const percent = (digits) => (value) => `${(value * 100).toFixed(digits)} %`;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const line = (label, stroke, options = {}) => ({ label, stroke: color(stroke), width: 2, points: { show: false }, ...options });
  const validationLine = (options = {}) => line('validation', 'validation', { points: { show: true, size: 7, width: 2, fill: color('card') }, ...options });

  /** Between the smallest and the largest of what is worth seeing: all lines but the noise of single steps. */
  const rangeOf = (columns, low, high) => () => {
    const values = columns.flat();
    return [low(Math.min(...values)), high(Math.max(...values))];
  };

  const charts = {
    loss: () => ({
      tables: [[steps.step, steps.loss, steps.lossSmooth], [epochs.step, epochs.validationLoss]],
      series: [line('each step', 'train-faint', { width: 1 }), line('training', 'train'), validationLine()],
      scale: { distr: 3, range: rangeOf([steps.lossSmooth, epochs.validationLoss], (low) => low / 1.6, (high) => high * 1.1) },
      tick: (value) => short.format(value),
      value: (value) => grouped.format(value),
    }),
    accuracy: () => ({
      tables: [[steps.step, steps.accuracy, steps.accuracySmooth], [epochs.step, epochs.validationAccuracy]],
      series: [line('each step', 'train-faint', { width: 1 }), line('training', 'train'), validationLine()],
      scale: { range: rangeOf([steps.accuracySmooth.slice(Math.floor(steps.step.length / 50)), epochs.validationAccuracy], (low) => low - 0.01, () => 1.004) },
      tick: percent(0),
      value: percent(2),
    }),
    imagesPerSecond: () => ({
      tables: [[steps.step, steps.imagesPerSecond]],
      series: [line('images/s', 'train')],
      scale: { range: rangeOf([steps.imagesPerSecond], () => 0, (high) => high * 1.1) },
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
    const { tables, series, scale, tick, value } = charts[place.dataset.curve]();
    const filled = tables.filter(([x]) => x.length > 0);
    const axis = { stroke: color('muted'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false }, font: `12px ${color('sans')}` };
    const shown = series.slice(0, filled.reduce((total, table) => total + table.length - 1, 0));
    const legendHeight = 24;
    return new uPlot({
      width: place.clientWidth,
      height: place.clientHeight - legendHeight,
      padding: [10, 12, 0, 0],
      scales: { x: { time: false }, y: scale },
      series: [{ label: 'step', value: (_, step) => (step == null ? '' : step.toLocaleString('en')) }, ...shown.map((entry) => ({ ...entry, value: (_, y) => (y == null ? '' : value(y)) }))],
      axes: [{ ...axis, values: (_, splits) => splits.map((step) => short.format(step)) }, { ...axis, size: 54, values: (_, splits) => splits.map((y) => (y == null ? '' : tick(y))) }],
      legend: { live: true },
      cursor: { y: false, drag: { x: true, y: false } },
    }, uPlot.join(filled), place);
  }

  function drawAll() {
    for (const place of document.querySelectorAll('[data-curve]')) {
      place.chart?.destroy();
      place.chart = draw(place);
    }
  }

  function paint(canvas) {
    const channels = Number(canvas.dataset.channels);
    const pixels = Uint8Array.from(atob(canvas.dataset.pixels), (character) => character.charCodeAt(0));
    const picture = new ImageData(canvas.width, canvas.height);
    for (let pixel = 0; pixel < canvas.width * canvas.height; pixel += 1) {
      for (let channel = 0; channel < 3; channel += 1) picture.data[pixel * 4 + channel] = pixels[pixel * channels + Math.min(channel, channels - 1)];
      picture.data[pixel * 4 + 3] = 255;
    }
    canvas.getContext('2d').putImageData(picture, 0, 0);
  }

  document.querySelectorAll('canvas[data-pixels]').forEach(paint);
  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  let width = document.documentElement.clientWidth;
  new ResizeObserver(() => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    drawAll();
  }).observe(document.documentElement);
})();
