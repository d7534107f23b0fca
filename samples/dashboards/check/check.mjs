// SPDX-License-Identifier: Apache-2.0
// Validates a dashboard: its types against Grafana's published schema, its layout, and the syntax of its PromQL.
import fs from 'node:fs';
import {execFileSync} from 'node:child_process';
import {parser} from '@prometheus-io/lezer-promql';

const dashboard = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const problems = [];

// W replaces enumerations by their literals, which is what JSON holds. Annotations have fields of the data source's own.
fs.writeFileSync('dashboard.ts', `import type {Dashboard, Panel} from '@grafana/schema';
type W<T> = T extends string ? \`\${T}\` : T extends readonly (infer U)[] ? W<U>[] : T extends object ? {[K in keyof T]: W<T[K]>} : T;
export const d = ${JSON.stringify(dashboard)} satisfies W<Omit<Dashboard, 'panels' | 'annotations'> & {panels: Panel[]; annotations: unknown}>;
`);
try {
  execFileSync('node_modules/.bin/tsc', ['--noEmit', '--strict', '--skipLibCheck', '--moduleResolution', 'bundler',
    '--module', 'esnext', '--target', 'es2022', 'dashboard.ts'], {encoding: 'utf8'});
} catch (e) {
  problems.push('types: ' + e.stdout);
}

const overlap = (g, h) => g.x < h.x + h.w && h.x < g.x + g.w && g.y < h.y + h.h && h.y < g.y + g.h;
const panels = dashboard.panels;
panels.forEach((p, i) => {
  if (p.gridPos.x + p.gridPos.w > 24) problems.push(`panel ${p.id} is too wide`);
  for (const q of panels.slice(0, i)) {
    if (p.id === q.id) problems.push(`two panels have the id ${p.id}`);
    if (overlap(p.gridPos, q.gridPos)) problems.push(`panels ${q.id} and ${p.id} overlap`);
  }
});

const expressions = [...panels.flatMap(p => p.targets.map(t => t.expr)), ...dashboard.annotations.list.map(a => a.target.expr)];
for (const expression of expressions) {
  const plain = expression.replaceAll('$__rate_interval', '10s').replaceAll('$__interval', '10s').replaceAll('$run', '.*');
  parser.parse(plain).iterate({enter: node => { if (node.type.isError) problems.push(`not PromQL: ${expression}`); }});
}

problems.forEach(p => console.error(p));
console.log(problems.length ? `${problems.length} problems` : `${panels.length} panels and ${expressions.length} expressions are fine`);
process.exit(problems.length ? 1 : 0);
