// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Arrays;

/**
 * The graph on the rows of G with an edge of weight |G_ab|/√(G_aa G_bb) between any two, by its
 * maximum spanning tree (Prim's algorithm, O(m²)). A zero row has no edges.
 */
final class GramGraph {
  private final double[] links;

  private GramGraph(double[] links) {
    this.links = links;
  }

  static GramGraph of(GramMatrix gram) {
    int m = gram.size();
    double[] links = new double[m - 1];
    double[] best = new double[m];
    boolean[] reached = new boolean[m];
    double[] row = new double[m];
    int current = 0;
    for (int n = 0; n < links.length; n++) {
      reached[current] = true;
      gram.copyRow(current, row);
      int next = -1;
      for (int b = 0; b < m; b++) {
        if (!reached[b]) {
          best[b] = Math.max(best[b], weight(row[b], row[current], gram.get(b, b)));
          next = next < 0 || best[b] > best[next] ? b : next;
        }
      }
      links[n] = best[next];
      current = next;
    }
    Arrays.sort(links);
    return new GramGraph(links);
  }

  private static double weight(double entry, double a, double b) {
    return a > 0 && b > 0 ? Math.abs(entry) / (Math.sqrt(a) * Math.sqrt(b)) : 0;
  }

  /** Connected components when edges up to the threshold are cut. */
  int components(double threshold) {
    int components = 1;
    while (components <= links.length && links[components - 1] <= threshold) {
      components++;
    }
    return components;
  }

  /** The largest t for which the edges of weight t and more connect all rows; 1 for one row. */
  double weakestLink() {
    return links.length == 0 ? 1 : links[0];
  }
}
